import type { RtpHeader } from './rtp-socket.ts'

/** RFC 4733 §2.5.1.4: the last packet of an event is sent three times. */
const ENDS = 3
/** Audio packets after which an event is over, whatever it said. */
const PATIENCE = 5
/** Duration at which an event goes on with a new timestamp (RFC 4733 §2.5.1.3). */
const LONGEST = 0xffff
/** Units of the event clock in a millisecond. */
const CLOCK = 8

interface Event {
  timestamp: number
  code: number
  duration: number
  firstDuration: number
  firstAt: number
  ends: number
  /** Whether its clock was judged. */
  timed: boolean
}

/**
 * Looks whether telephone-events keep the rules of RFC 4733 §2.5: one timestamp for an event, a
 * duration that grows at 8000 Hz, a marker on the first packet and three packets with the end bit.
 */
export class EventWatch {
  readonly #broken: (detail: string) => void
  #event: Event | undefined
  #audio = 0
  #lossy = false

  constructor(broken: (detail: string) => void) {
    this.#broken = broken
  }

  /** A packet was lost: missing ends and markers say nothing until the next event. */
  lost(): void {
    this.#lossy = true
  }

  /** An audio packet came. */
  audio(): void {
    if (this.#event && ++this.#audio >= PATIENCE) this.#close()
  }

  /**
   * An event packet came at `now`, monotonic milliseconds.
   * @param stalled milliseconds by which packets may seem to have come together
   */
  packet(header: RtpHeader, payload: Buffer, now: number, stalled = 0): void {
    if (payload.length < 4) {
      this.#broken(`an event of ${payload.length} octets, not 4`)
      return
    }
    this.#audio = 0
    const [code, flags] = payload as unknown as [number, number]
    const duration = payload.readUInt16BE(2)
    const end = (flags & 0x80) !== 0
    if (this.#event && this.#event.timestamp !== header.timestamp) this.#close()
    const event = this.#event
    if (event) {
      this.#update(event, code, duration, end)
      if (end && !event.timed) this.#time(event, now, stalled)
    } else {
      if (!header.marker && !this.#lossy) this.#broken('the first packet of an event has no marker')
      this.#event = {
        timestamp: header.timestamp,
        code,
        duration,
        firstDuration: duration,
        firstAt: now,
        ends: end ? 1 : 0,
        timed: false,
      }
    }
  }

  #update(event: Event, code: number, duration: number, end: boolean): void {
    if (code !== event.code) this.#broken(`event ${event.code} becomes ${code} at one timestamp`)
    if (duration < event.duration) {
      this.#broken(`the duration of an event shrinks from ${event.duration} to ${duration}`)
    } else if (!end && duration === event.duration) {
      this.#broken(`the duration of an event stays at ${duration}`)
    }
    if (event.ends > 0 && !end) this.#broken('an event goes on after its end bit')
    if (event.ends > 0 && end && duration !== event.duration) {
      this.#broken(`the repeated end of an event says ${duration}, not ${event.duration}`)
    }
    event.code = code
    event.duration = Math.max(event.duration, duration)
    if (end) event.ends++
  }

  /** A duration in units of 48000 Hz grows six times as fast as time does. */
  #time(event: Event, now: number, stalled: number): void {
    event.timed = true
    const claimed = (event.duration - event.firstDuration) / CLOCK
    const took = now - event.firstAt + stalled
    if (claimed <= 3 * took + 60) return
    this.#broken(
      `an event of ${Math.round(took)} ms claims ${Math.round(claimed)} ms: not a clock of 8000 Hz`,
    )
  }

  #close(): void {
    const event = this.#event
    this.#event = undefined
    const goesOn = event?.ends === 0 && event.duration === LONGEST
    if (event && !this.#lossy && !goesOn && event.ends !== ENDS) {
      const what =
        event.ends === 0 ? 'without its end bit' : `with ${event.ends} end packets, not 3`
      this.#broken(`an event is over ${what}`)
    }
    this.#lossy = false
  }
}
