import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ServerUnderTest } from './srf.ts'

/** A frame as it came from the server. */
export interface RawFrame {
  tokens: string[]
  /** The SIP text behind the leader; '' when none. */
  text: string
}

/** An application that writes frames by hand. */
export class RawApp {
  readonly socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #frames: RawFrame[] = []
  #wake: (() => void) | undefined
  closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      this.#wake?.()
    })
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#cut()
      this.#wake?.()
    })
  }

  static async open(server: ServerUnderTest): Promise<RawApp> {
    const socket = connect(server.port, server.host)
    await once(socket, 'connect')
    return new RawApp(socket)
  }

  /** Sends a frame and returns its message id. */
  send(...parts: string[]): string {
    const mid = randomUUID()
    this.socket.write(RawApp.frame(`${mid}|${parts.join('|')}`))
    return mid
  }

  static frame(payload: string): string {
    return `${Buffer.byteLength(payload)}#${payload}`
  }

  /** The next frame that matches; rejects when the connection ends first. */
  async next(matcher: (frame: RawFrame) => boolean = () => true): Promise<RawFrame> {
    const deadline = Date.now() + 5000
    for (;;) {
      const at = this.#frames.findIndex(matcher)
      if (at >= 0) return this.#frames.splice(at, 1)[0]!
      if (this.closed) throw new Error('the connection has ended')
      if (Date.now() > deadline) throw new Error('no such frame came')
      await this.#more()
    }
  }

  /** The answer to a frame: the tokens from index 3 on. */
  async answer(mid: string): Promise<string[]> {
    const frame = await this.next((f) => f.tokens[1] === 'response' && f.tokens[2] === mid)
    return frame.tokens.slice(3)
  }

  /** Resolves once the server has closed the connection. */
  async ended(): Promise<void> {
    if (!this.closed) await once(this.socket, 'close', { signal: AbortSignal.timeout(5000) })
  }

  async authenticate(secret: string): Promise<string[]> {
    return this.answer(this.send('authenticate', secret, ''))
  }

  close(): void {
    this.socket.destroy()
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 200)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #cut(): void {
    for (;;) {
      const hash = this.#buffer.indexOf('#')
      if (hash < 0) return
      const length = Number(this.#buffer.toString('latin1', 0, hash))
      const end = hash + 1 + length
      if (this.#buffer.length < end) return
      const payload = this.#buffer.toString('utf8', hash + 1, end)
      this.#buffer = this.#buffer.subarray(end)
      const line = payload.indexOf('\r\n')
      const leader = line < 0 ? payload : payload.slice(0, line)
      this.#frames.push({
        tokens: leader.split('|'),
        text: line < 0 ? '' : payload.slice(line + 2),
      })
    }
  }
}
