import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Clock, Timer } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { decodeNg, encodeNg, isDictionary, type NgDictionary, type NgValue } from './bencode.ts'

export type { NgDictionary } from './bencode.ts'

/** When a request is sent again, and when it is given up: milliseconds after the first time. */
const REPEAT = [150, 450, 1050]
const GIVE_UP = 2000

/** rtpengine answered with an error. */
export class NgError extends Error {}

/** rtpengine did not answer. */
export class NgTimeout extends Error {}

/** Nobody listens at rtpengine's control port: its machine says so (ICMP). */
export class NgRefused extends NgTimeout {}

interface Pending {
  packet: Buffer
  resolve(reply: NgDictionary): void
  reject(error: Error): void
  timer: Timer
}

/**
 * The ng control protocol of one rtpengine over UDP: a cookie, a space and a bencoded dictionary.
 * rtpengine answers a repeated cookie from its memory, so that a request may be sent again.
 */
export class NgClient {
  readonly #socket: Socket
  readonly #host: string
  readonly #port: number
  readonly #clock: Clock
  readonly #prefix: string
  readonly #pending = new Map<string, Pending>()
  #count = 0
  #closed = false
  #connected = false

  /** @param host address or name of rtpengine */
  constructor(host: string, port: number, parts: { clock: Clock; random: Random }) {
    this.#host = host
    this.#port = port
    this.#clock = parts.clock
    this.#prefix = parts.random.hex(6)
    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    this.#socket.on('message', (message) => this.#onMessage(message))
    this.#socket.on('error', (error) => this.#onError(error))
    this.#socket.on('connect', () => {
      this.#connected = true
      for (const { packet } of this.#pending.values()) this.#transmit(packet)
    })
  }

  /** Our address as rtpengine's machine is reached from it; undefined before the first answer. */
  get localAddress(): string | undefined {
    return this.#connected ? this.#socket.address().address : undefined
  }

  /**
   * Sends a command and gives rtpengine's reply.
   * @throws NgError when it answers with an error, NgTimeout when it does not answer, NgRefused when
   *   nobody listens there
   */
  request(command: string, parameters: NgDictionary = {}): Promise<NgDictionary> {
    if (this.#closed) return Promise.reject(new NgTimeout('closed'))
    const cookie = `${this.#prefix}${this.#count++}`
    const packet = Buffer.concat([Buffer.from(`${cookie} `), encodeNg({ ...parameters, command })])
    return new Promise((resolve, reject) => {
      const send = (step: number): Timer => {
        this.#transmit(packet)
        const last = step >= REPEAT.length
        const wait = (last ? GIVE_UP : REPEAT[step]!) - (step === 0 ? 0 : REPEAT[step - 1]!)
        return this.#clock.setTimeout(() => {
          const pending = this.#pending.get(cookie)
          if (!pending) return
          if (!last) pending.timer = send(step + 1)
          else {
            this.#pending.delete(cookie)
            reject(new NgTimeout(`no answer to ${command} within ${GIVE_UP} ms`))
          }
        }, wait)
      }
      this.#pending.set(cookie, { packet, resolve, reject, timer: send(0) })
    })
  }

  /** Closes the socket; requests on their way are rejected. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#rejectAll(new NgTimeout('closed'))
    this.#socket.close()
  }

  /** Sends on a connected socket, which hears of a port that nobody listens on. */
  #transmit(packet: Buffer): void {
    if (this.#connected) {
      this.#socket.send(packet, (error) => error && this.#onError(error))
      return
    }
    try {
      this.#socket.connect(this.#port, this.#host)
    } catch {
      // It is being connected already.
    }
  }

  #onError(error: NodeJS.ErrnoException): void {
    // Others (a name that is not known, a full buffer) show as a missing answer soon enough.
    if (this.#closed || error.code !== 'ECONNREFUSED') return
    this.#rejectAll(new NgRefused('nobody listens there'))
  }

  #rejectAll(error: Error): void {
    for (const { timer, reject } of this.#pending.values()) {
      timer.clear()
      reject(error)
    }
    this.#pending.clear()
  }

  #onMessage(message: Buffer): void {
    const space = message.indexOf(0x20)
    const cookie = message.toString('latin1', 0, Math.max(0, space))
    const pending = this.#pending.get(cookie)
    if (!pending) return
    let reply: NgValue
    try {
      reply = decodeNg(message.subarray(space + 1))
    } catch {
      // Not an answer of rtpengine; the real one may still come.
      return
    }
    this.#pending.delete(cookie)
    pending.timer.clear()
    if (!isDictionary(reply)) pending.reject(new NgError('no dictionary'))
    else if (reply['result'] === 'error') pending.reject(new NgError(String(reply['error-reason'])))
    else pending.resolve(reply)
  }
}
