import type { Socket } from 'node:net'
import { CausewayError } from '../../shared/errors/index.ts'
import { type Flow, StreamFramer } from '../message/index.ts'
import type { TransportContext } from './context.ts'
import { malformed, receive } from './receive.ts'
import type { FlowEnd, Target } from './types.ts'

/** Told once, when a message was handed to the system or cannot be. */
export type SendDone = (error: Error | undefined, flow?: Flow) => void

interface Queued {
  bytes: Buffer
  done: SendDone | undefined
}

const PING = Buffer.from('\r\n\r\n')
const PONG = Buffer.from('\r\n')
/** RFC 5626 §4.4.1: how long the answer to a ping may take. */
const PONG_WAIT = 10_000
/** How often {@link StreamConnection.check} is called, in milliseconds. */
export const CHECK_INTERVAL = 1000
/** How long a closing connection may take to write what is queued. */
const FLUSH_WAIT = 2_000

/**
 * One TCP or TLS connection: framing, pings, and a bounded write queue. It is `connecting` until
 * {@link StreamConnection.opened}; what is sent before waits. Deadlines are looked after by
 * {@link StreamConnection.check}, which the table calls every second.
 */
export class StreamConnection {
  readonly flow: Flow
  /** The target an outbound connection was made for; undefined for inbound ones. */
  readonly target: Target | undefined
  readonly socket: Socket
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  readonly #context: TransportContext
  readonly #ended: (connection: StreamConnection, wasOpen: boolean) => void
  readonly #framer: StreamFramer
  #queue: Queued[] = []
  #queuedBytes = 0
  #since: number
  #activeAt: number
  /** When the message that is arriving began; undefined between messages. */
  #partialSince: number | undefined
  #valid = false
  /** Most milliseconds between pings; 0 for none. */
  #interval = 0
  #pingAt = Number.POSITIVE_INFINITY
  #pongBy = Number.POSITIVE_INFINITY
  #answersPings = false
  /** Whether every ping has to be answered, the first one too. */
  #kept = false
  #heardAt: number
  /** Milliseconds the peer may be silent. */
  #silence = Number.POSITIVE_INFINITY
  #why: FlowEnd = 'closed'

  constructor(
    socket: Socket,
    flow: Flow,
    target: Target | undefined,
    context: TransportContext,
    ended: (connection: StreamConnection, wasOpen: boolean) => void,
  ) {
    this.socket = socket
    this.flow = flow
    this.target = target
    this.#context = context
    this.#ended = ended
    this.#since = this.#activeAt = this.#heardAt = context.clock.monotonic()
    this.#framer = new StreamFramer(
      {
        message: (bytes) => this.#message(bytes),
        ping: () => this.#ping(),
        pong: () => this.#pong(),
        error: (error) => {
          malformed(error, flow, context)
          this.finish()
        },
      },
      context.limits,
    )
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** Why it has ended; `closed` unless one of our deadlines ended it. */
  get why(): FlowEnd {
    return this.#why
  }

  /** The connection is up (TLS: and verified): reading starts, what was queued goes out. */
  opened(): void {
    if (this.#state !== 'connecting') return
    const { socket } = this
    this.#state = 'open'
    this.#since = this.#activeAt = this.#heardAt = this.#context.clock.monotonic()
    this.flow.localAddress = socket.localAddress ?? this.flow.localAddress
    this.flow.localPort = socket.localPort ?? this.flow.localPort
    if (this.target) this.#pingEvery(this.#context.keepalive)
    socket.on('data', (chunk) => this.#data(chunk))
    socket.on('end', () => this.finish())
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    for (const { bytes, done } of queue) this.send(bytes, done)
  }

  /** Sends a message, or queues it while connecting. `done` is called once. */
  send(bytes: Buffer, done?: SendDone): void {
    const { limits } = this.#context
    if (this.#state === 'closed') {
      done?.(this.#closedError())
    } else if (this.#state === 'connecting') {
      if (this.#queuedBytes + bytes.length > limits.writeQueueBytes) {
        done?.(this.#fullError())
        return
      }
      this.#queuedBytes += bytes.length
      this.#queue.push({ bytes, done })
    } else {
      this.#context.tap?.see('out', bytes, this.flow)
      this.#write(bytes)
      if (this.socket.writableLength > limits.writeQueueBytes) {
        const error = this.#fullError()
        this.#context.log.warn({ err: error, flow: this.flow }, 'SIP connection closed')
        this.destroy(error)
        done?.(error)
        return
      }
      this.#context.metrics.messagesSent[this.flow.transport]++
      this.#context.traffic.sent(bytes, this.flow.peer)
      done?.(undefined, this.flow)
    }
  }

  #write(bytes: Buffer): void {
    this.#activeAt = this.#context.clock.monotonic()
    this.#context.metrics.bytesSent[this.flow.transport] += bytes.length
    this.socket.write(bytes)
  }

  #data(chunk: Buffer): void {
    if (this.#state !== 'open') return
    this.#activeAt = this.#heardAt = this.#context.clock.monotonic()
    this.#context.metrics.bytesReceived[this.flow.transport] += chunk.length
    this.#framer.push(chunk)
    if (this.#framer.pending === 0) this.#partialSince = undefined
    else this.#partialSince ??= this.#activeAt
  }

  #message(bytes: Buffer): void {
    this.#partialSince = undefined
    // A handler may have closed the connection while more messages were in the chunk.
    if (this.#state !== 'open') return
    if (receive(bytes, this.flow, this.#context)) this.#valid = true
  }

  #ping(): void {
    this.#context.metrics.keepalives++
    // A peer that pings and never reads would fill the queue with answers.
    if (this.#state === 'open' && this.socket.writableLength === 0) this.#write(PONG)
  }

  #pong(): void {
    this.#context.metrics.keepalives++
    this.#answersPings = true
    this.#pongBy = Number.POSITIVE_INFINITY
  }

  /**
   * Pings at most `interval` milliseconds apart from now on, and holds the peer to its pongs: a
   * registration of ours is reached by this connection (RFC 5626 §4.4.1). Undefined ends that.
   */
  keep(interval: number | undefined): void {
    const wanted = interval ?? (this.target ? this.#context.keepalive : 0)
    this.#kept = interval !== undefined
    if (!this.#kept) this.#pongBy = Number.POSITIVE_INFINITY
    // A renewal with the timer of before does not put off the ping that is due.
    if (wanted !== this.#interval) this.#pingEvery(wanted)
  }

  /** Closes it when nothing has come for so many milliseconds (RFC 5626 §5.4); undefined for never. */
  limitSilence(ms: number | undefined): void {
    this.#silence = ms ?? Number.POSITIVE_INFINITY
  }

  #pingEvery(interval: number): void {
    this.#interval = interval
    this.#schedulePing()
  }

  /** RFC 5626 §4.4.1: between 80 and 100 % of the interval, so that peers are not pinged in step. */
  #schedulePing(): void {
    const { clock, random } = this.#context
    if (this.#interval <= 0) {
      this.#pingAt = Number.POSITIVE_INFINITY
      return
    }
    const drawn = (this.#interval * random.int(80, 101)) / 100
    // It goes out at the next look, which must not be too late.
    const latest = Math.max(0, this.#interval - CHECK_INTERVAL)
    this.#pingAt = clock.monotonic() + Math.min(drawn, latest)
  }

  /** Closes the connection when a deadline has passed, pings when it is time. */
  check(now: number): void {
    const { limits } = this.#context
    if (this.#state === 'connecting') {
      if (now - this.#since >= limits.connectTimeout) {
        this.socket.destroy(new Error(`no answer within ${limits.connectTimeout} ms`))
      }
      return
    }
    const reason = this.#overdue(now)
    if (reason) {
      this.#context.log.info({ flow: this.flow, reason }, 'SIP connection closed')
      this.finish()
    } else if (now >= this.#pingAt) {
      this.#framer.pinged()
      this.#write(PING)
      if (this.#kept || this.#answersPings) this.#pongBy = Math.min(this.#pongBy, now + PONG_WAIT)
      this.#schedulePing()
    }
  }

  #overdue(now: number): string | undefined {
    const { limits } = this.#context
    if (!this.target && !this.#valid && now - this.#since >= limits.firstMessageTimeout) {
      return 'no SIP message came'
    }
    if (this.#partialSince !== undefined && now - this.#partialSince >= limits.messageTimeout) {
      return 'a message did not arrive in full'
    }
    // A message that is arriving is read first (RFC 5626 §4.4.1).
    if (now >= this.#pongBy && this.#partialSince === undefined) {
      this.#why = 'unanswered'
      return 'pings are not answered'
    }
    if (now - this.#heardAt >= this.#silence) {
      this.#why = 'silent'
      return 'nothing has come within its Flow-Timer'
    }
    if (limits.idleTimeout > 0 && now - this.#activeAt >= limits.idleTimeout) return 'idle'
    return undefined
  }

  /** Closes once what is queued in the socket has been written, at the latest after 2 s. */
  finish(): void {
    if (this.#state === 'closed') return
    this.#end(this.#closedError())
    const { socket } = this
    const timer = this.#context.clock.setTimeout(() => socket.destroy(), FLUSH_WAIT)
    socket.once('close', () => timer.clear())
    socket.destroySoon()
  }

  /** Closes at once; messages that wait for the connection fail with `error`. */
  destroy(error?: Error): void {
    if (this.#state !== 'closed') this.#end(error ?? this.#closedError())
    this.socket.destroy()
  }

  #end(error: Error): void {
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    const queue = this.#queue
    this.#queue = []
    this.#ended(this, wasOpen)
    for (const { done } of queue) done?.(error)
  }

  #closedError(): CausewayError {
    return new CausewayError('SIP_CONNECTION_CLOSED', { detail: this.#peer() })
  }

  #fullError(): CausewayError {
    return new CausewayError('SIP_PEER_NOT_READING', { detail: this.#peer() })
  }

  #peer(): string {
    const { transport, remoteAddress, remotePort } = this.flow
    return `${transport} ${remoteAddress} port ${remotePort}`
  }
}
