import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** A keypress as rtpengine tells it at its end. */
export interface Digit {
  callId: string
  /** Tag of the side that pressed. */
  tag: string
  /** 0-9, *, #, A-D, or `flash`. */
  digit: string
  durationMs: number
}

const DIGITS = '0123456789*#ABCD'

/**
 * Hears of keypresses (RFC 4733 events) in the calls of one rtpengine, which sends each as JSON by
 * UDP. Versions before 11.3 know no destination for each call and send nothing.
 */
export class DigitListener {
  readonly #take: (digit: Digit) => void
  #socket: Socket | undefined
  #destination: Promise<string | undefined> | undefined
  #closed = false

  constructor(take: (digit: Digit) => void) {
    this.#take = take
  }

  /**
   * Where rtpengine is to send to, `address:port`; undefined when nothing can be heard.
   * @param local our address as rtpengine's machine is reached from it
   */
  destination(local: string): Promise<string | undefined> {
    this.#destination ??= this.#open(local)
    return this.#destination
  }

  close(): void {
    this.#closed = true
    this.#socket?.close()
    this.#socket = undefined
  }

  #open(local: string): Promise<string | undefined> {
    const v6 = isIPv6(local)
    const socket = createSocket(v6 ? 'udp6' : 'udp4')
    socket.on('message', (message) => {
      const digit = readDigit(message)
      if (digit) this.#take(digit)
    })
    socket.unref()
    return new Promise((resolve) => {
      socket.on('error', () => resolve(undefined))
      socket.bind(0, local, () => {
        if (this.#closed) {
          socket.close()
          resolve(undefined)
          return
        }
        this.#socket = socket
        resolve(`${v6 ? `[${local}]` : local}:${socket.address().port}`)
      })
    })
  }
}

/** Reads `{"callid":…,"source_tag":…,"event":…,"duration":…}`; undefined for anything else. */
export function readDigit(message: Buffer): Digit | undefined {
  let value: unknown
  try {
    value = JSON.parse(message.toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { callid, source_tag, event, duration } = value as Record<string, unknown>
  if (typeof callid !== 'string' || typeof source_tag !== 'string') return undefined
  if (typeof event !== 'number') return undefined
  const digit = event === 16 ? 'flash' : DIGITS[event]
  if (digit === undefined) return undefined
  const durationMs = typeof duration === 'number' ? duration : 0
  return { callId: callid, tag: source_tag, digit, durationMs }
}
