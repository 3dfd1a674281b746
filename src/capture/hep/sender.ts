import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import type { HepConfig } from '../../config/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { KeptMessage } from '../types.ts'
import { encodeHep } from './encode.ts'

/** How long a message waits, so that the call it leads to is known; milliseconds. */
const DELAY = 500
/** Messages, and characters of them, that may wait. */
const QUEUE = 10_000
const QUEUE_SIZE = 16 * 1024 * 1024
/** Pause before a name that did not resolve is asked for again, milliseconds. */
const RETRY = 30_000
/** How long a resolved name is taken for true, milliseconds. */
const FRESH = 300_000
/** Least time between two warnings, milliseconds. */
const QUIET = 60_000

/** Where copies go, and what joins them. */
export interface HepSenderOptions {
  config: HepConfig
  /** What joins a message to others, asked when it is sent. */
  correlate: (message: KeptMessage) => string
  clock: Clock
  log: Logger
}

/** What became of the messages. */
export interface HepCounters {
  sent: number
  lost: { queue: number; size: number; network: number }
}

/**
 * Sends copies of messages to a HEP collector by UDP. Nobody waits for it: a queue that is full, a
 * name that does not resolve and a collector that is away lose messages, and are counted.
 */
export class HepSender {
  readonly counters: HepCounters = { sent: 0, lost: { queue: 0, size: 0, network: 0 } }
  readonly #options: HepSenderOptions
  #queue: { message: KeptMessage; due: number }[] = []
  #size = 0
  #timer: Timer | undefined
  #again: Timer | undefined
  #socket: Socket | undefined
  #warned = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: HepSenderOptions) {
    this.#options = options
    this.#open()
  }

  /** Takes a message; it leaves half a second later. */
  send(message: KeptMessage): void {
    const { clock } = this.#options
    if (this.#queue.length >= QUEUE || this.#size + message.text.length > QUEUE_SIZE) {
      this.counters.lost.queue++
      return
    }
    this.#queue.push({ message, due: clock.monotonic() + DELAY })
    this.#size += message.text.length
    this.#timer ??= clock.setTimeout(() => this.#flush(), DELAY)
  }

  /** Sends what waits and closes the socket. */
  async close(): Promise<void> {
    if (this.#closed) return
    for (const { message } of this.#queue) this.#transmit(message)
    this.#queue = []
    this.#closed = true
    this.#timer?.clear()
    this.#again?.clear()
    const socket = this.#socket
    this.#socket = undefined
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  #flush(): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    let due = 0
    while (due < this.#queue.length && this.#queue[due]!.due <= now) {
      const { message } = this.#queue[due++]!
      this.#size -= message.text.length
      this.#transmit(message)
    }
    this.#queue = this.#queue.slice(due)
    const [next] = this.#queue
    this.#timer = next && clock.setTimeout(() => this.#flush(), next.due - now)
  }

  #transmit(message: KeptMessage): void {
    const { config, correlate } = this.#options
    const agent = { id: config.id, password: config.password?.reveal() }
    const packet = encodeHep(message, agent, correlate(message))
    if (!packet) this.counters.lost.size++
    else if (!this.#socket) this.counters.lost.network++
    else {
      this.counters.sent++
      this.#socket.send(packet, (error) => error && this.#failed(error))
    }
  }

  /** Looks the name up, and a name now and then again: collectors move. */
  #open(): void {
    const { config, clock } = this.#options
    const { host, port } = config.target
    const literal = isIP(host)
    if (literal) {
      this.#connect(host, literal, port)
      return
    }
    lookup(host, (error, address, family) => {
      if (this.#closed) return
      if (error) this.#warn(error.message)
      else this.#connect(address, family, port)
      this.#again = clock.setTimeout(() => this.#open(), error ? RETRY : FRESH)
    })
  }

  /** A connected socket hears when nobody listens at the other end. */
  #connect(address: string, family: number, port: number): void {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    socket.unref()
    socket.on('error', (error) => this.#failed(error))
    socket.connect(port, address, (error?: Error) => {
      const former = this.#socket
      if (error || this.#closed) socket.close()
      else this.#socket = socket
      if (error) this.#warn(error.message)
      else former?.close()
    })
  }

  #failed(error: Error): void {
    this.counters.lost.network++
    this.#warn(error.message)
  }

  #warn(reason: string): void {
    const { config, clock, log } = this.#options
    const now = clock.monotonic()
    if (this.#closed || now < this.#warned + QUIET) return
    this.#warned = now
    const { host, port } = config.target
    const err = new CausewayError('APP_HEP_UNREACHABLE', { detail: `${host}:${port}: ${reason}` })
    log.warn({ err, lost: this.counters.lost }, 'HEP messages are lost')
  }
}
