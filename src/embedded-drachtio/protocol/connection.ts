import type { Socket } from 'node:net'
import { encodeFrame, FrameReader } from './frame.ts'
import { replyLeader } from './leader.ts'

export interface ConnectionLimits {
  /** Largest frame from an application, bytes. */
  frameBytes: number
  /** Bytes that may wait for an application that does not read; beyond, it is disconnected. */
  queueBytes: number
}

export interface ConnectionEvents {
  frame(connection: AppConnection, payload: Buffer): void
  closed(connection: AppConnection): void
}

/**
 * One application's socket. Frames written within one turn of the event loop leave in one write:
 * a call is some twenty small frames, and the system call costs more than making them.
 */
export class AppConnection {
  authenticated = false
  readonly remote: string
  readonly #socket: Socket
  readonly #ids: () => string
  readonly #limits: ConnectionLimits
  #open = true
  #queue: Buffer[] = []
  #scheduled = false

  constructor(socket: Socket, ids: () => string, limits: ConnectionLimits, on: ConnectionEvents) {
    this.#socket = socket
    this.#ids = ids
    this.#limits = limits
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 45_000)
    const reader = new FrameReader(limits.frameBytes, (payload) => {
      if (this.#open) on.frame(this, payload)
      if (!this.#open) reader.stop()
    })
    socket.on('data', (chunk) => {
      if (!reader.push(chunk)) this.destroy()
    })
    socket.on('error', () => this.destroy())
    socket.on('end', () => {
      this.#open = false
    })
    socket.on('close', () => {
      this.#open = false
      this.#queue = []
      on.closed(this)
    })
  }

  /** False once the socket has ended; what is sent then is lost. */
  get open(): boolean {
    return this.#open
  }

  /** Bytes that wait to be read by the application. */
  get queued(): number {
    return this.#socket.writableLength
  }

  /** Queues a frame: leader, then the message text behind a line break. */
  send(leader: string, head?: string, body?: Buffer): void {
    if (!this.#open) return
    this.#queue.push(encodeFrame(head === undefined ? leader : `${leader}\r\n${head}`, body))
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  /** A fresh message id. */
  mid(): string {
    return this.#ids()
  }

  /** Answers a frame without a SIP message. */
  reply(request: string, ...rest: string[]): void {
    this.send(replyLeader(this.#ids(), request, ...rest))
  }

  /** Closes after what is queued has left. */
  end(): void {
    if (!this.#open) return
    this.#flush()
    this.#open = false
    this.#socket.end(() => this.#socket.destroy())
  }

  /** Closes at once. */
  destroy(): void {
    this.#open = false
    this.#queue = []
    this.#socket.destroy()
  }

  #flush(): void {
    this.#scheduled = false
    const queue = this.#queue
    if (queue.length === 0 || !this.#open) return
    this.#queue = []
    this.#socket.write(queue.length === 1 ? queue[0]! : Buffer.concat(queue))
    if (this.#socket.writableLength > this.#limits.queueBytes) this.destroy()
  }
}
