import { PATIENCE } from '../../support/until.ts'
import { Sip } from './message.ts'

/** A message that has arrived, with the way back to where it came from. */
export interface Received {
  sip: Sip
  reply(text: string): void
  /** `performance.now()` of arrival. */
  at: number
  /** Name of the connection or socket. */
  over: string
}

/** What a message has to be. */
export interface Wanted {
  method?: string
  status?: number | ((status: number) => boolean)
  callId?: string
  /** Method in CSeq. */
  of?: string
  where?: (sip: Sip) => boolean
}

/** Everything a peer has received; repetitions go to the log alone. */
export class Inbox {
  readonly log: Received[] = []
  readonly name: string
  #unread: Received[] = []
  readonly #seen = new Set<string>()
  #waiting: { wanted: Wanted; resolve: (received: Received) => void }[] = []

  constructor(name: string) {
    this.name = name
  }

  push(text: string, over: string, reply: (text: string) => void): void {
    const received = { sip: new Sip(text), reply, at: performance.now(), over }
    this.log.push(received)
    if (this.#seen.has(text)) return
    this.#seen.add(text)
    const index = this.#waiting.findIndex(({ wanted }) => fits(received.sip, wanted))
    if (index < 0) this.#unread.push(received)
    else this.#waiting.splice(index, 1)[0]!.resolve(received)
  }

  /** The next message that fits, come or coming. @throws Error after `ms` milliseconds */
  take(wanted: Wanted, ms = PATIENCE): Promise<Received> {
    const index = this.#unread.findIndex(({ sip }) => fits(sip, wanted))
    if (index >= 0) return Promise.resolve(this.#unread.splice(index, 1)[0]!)
    return new Promise((resolve, reject) => {
      const entry = { wanted, resolve: (received: Received) => done(received) }
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== entry)
        const got = this.log.slice(-8).map(({ sip }) => `${sip.start} [${sip.get('CSeq')}]`)
        const what = JSON.stringify(wanted)
        reject(
          new Error(`${this.name}: nothing like ${what} in ${ms} ms; last: ${got.join(' | ')}`),
        )
      }, ms)
      const done = (received: Received): void => {
        clearTimeout(timer)
        resolve(received)
      }
      this.#waiting.push(entry)
    })
  }

  /** How many messages that fit have come, repetitions included. */
  count(wanted: Wanted): number {
    return this.log.filter(({ sip }) => fits(sip, wanted)).length
  }

  /** Requests received, as `METHOD`, repetitions included. */
  requests(): Sip[] {
    return this.log.map(({ sip }) => sip).filter(({ method }) => method !== undefined)
  }
}

function fits(sip: Sip, { method, status, callId, of, where }: Wanted): boolean {
  if (method !== undefined && sip.method !== method) return false
  if (status !== undefined) {
    const right = typeof status === 'number' ? sip.status === status : status(sip.status)
    if (sip.method !== undefined || !right) return false
  }
  if (of !== undefined && (sip.method !== undefined || sip.cseqMethod !== of)) return false
  if (callId !== undefined && sip.callId !== callId) return false
  return where === undefined || where(sip)
}

/** Cuts a byte stream into messages by Content-Length; counts keepalive CRLFs between them. */
export class Cutter {
  #buffer = Buffer.alloc(0)
  /** CRLFs that came between messages (RFC 5626 §3.5.1). */
  crlfs = 0

  /** Takes bytes; returns the messages they complete. */
  feed(bytes: Buffer): string[] {
    const messages: string[] = []
    this.#buffer = Buffer.concat([this.#buffer, bytes])
    for (;;) {
      while (this.#buffer.length >= 2 && this.#buffer.subarray(0, 2).toString() === '\r\n') {
        this.crlfs++
        this.#buffer = this.#buffer.subarray(2)
      }
      const end = this.#buffer.indexOf('\r\n\r\n')
      if (end < 0) return messages
      const head = this.#buffer.subarray(0, end).toString()
      const length = Number(/^Content-Length:\s*(\d+)/im.exec(head)?.[1] ?? 0)
      if (this.#buffer.length < end + 4 + length) return messages
      messages.push(this.#buffer.subarray(0, end + 4 + length).toString())
      this.#buffer = this.#buffer.subarray(end + 4 + length)
    }
  }
}
