import type { Call, CallRecord, CallRegistry, WhatsAppReport } from '../calls/index.ts'
import { mergeReports } from '../calls/index.ts'
import { APART, type CallHint } from '../records/index.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { CallWebhook } from '../webhooks/index.ts'

/** How long a webhook waits for its call, milliseconds: its INVITE may come later, or come elsewhere. */
const WAIT = 600_000
/** Calls that are waited for. */
const WAITING = 1000
/** Ended calls looked through for one whose id is not known, newest first. */
const LOOKED_AT = 100

/** Where reports go whose call is in memory no more. */
export interface StoredReports {
  /** @returns whether there is such a call */
  tell(wacid: string, told: Partial<WhatsAppReport>, hint?: CallHint): Promise<boolean>
}

interface Waiting {
  report: WhatsAppReport
  timer: Timer
}

/**
 * Joins WhatsApp's webhooks of calls to our calls, in whatever order they come: by WhatsApp's id of the call,
 * or, for a business-initiated call that does not know its id yet, by number, consumer and time. WhatsApp
 * allows one call at a time between a number and a consumer.
 */
export class CallJoiner {
  readonly #calls: CallRegistry
  readonly #clock: Clock
  readonly #log: Logger
  readonly #stored: StoredReports | undefined
  readonly #numberOf: (phoneNumberId: string) => string | undefined
  readonly #waiting = new Map<string, Waiting>()
  readonly #unsubscribe: () => void
  #joined = 0
  #unknown = 0

  constructor(options: {
    calls: CallRegistry
    stored?: StoredReports | undefined
    clock: Clock
    log: Logger
    /** Name of a number by its id in the Graph API. */
    numberOf: (phoneNumberId: string) => string | undefined
  }) {
    this.#calls = options.calls
    this.#stored = options.stored
    this.#clock = options.clock
    this.#log = options.log
    this.#numberOf = options.numberOf
    const join = (call: Call): void => this.#join(call.whatsapp.wacid)
    this.#unsubscribe = this.#calls.subscribe({ started: join, changed: join })
  }

  /** Webhooks that found their call, that wait for it, and that never found one. */
  counts(): { joined: number; waiting: number; unknown: number } {
    return { joined: this.#joined, waiting: this.#waiting.size, unknown: this.#unknown }
  }

  onCall(event: CallWebhook): void {
    const { wacid } = event
    const report = reportOf(event)
    if (this.#tell(wacid, report)) return
    const hint = this.#hintOf(event)
    const id = hint && this.#withoutId(hint)
    if (id !== undefined) {
      this.#calls.learnWacid(id, wacid)
      if (this.#tell(wacid, report)) return
    }
    this.#wait(wacid, report)
    void this.#lookUp(wacid, report, hint)
  }

  /** Forgets what waits. */
  stop(): void {
    this.#unsubscribe()
    for (const { timer } of this.#waiting.values()) timer.clear()
    this.#waiting.clear()
  }

  #tell(wacid: string, report: Partial<WhatsAppReport>): boolean {
    const record = this.#calls.tell(wacid, report)
    if (!record) return false
    this.#joined++
    const { status, errors } = report
    if (status === 'FAILED') {
      const detail = errors?.map(({ code, title }) => `${code} ${title}`).join(', ')
      this.#log.warn({ call: record.id, wacid, detail }, 'WhatsApp says that the call failed')
    }
    return true
  }

  /** The call may have ended long ago, before a restart even. */
  async #lookUp(
    wacid: string,
    report: Partial<WhatsAppReport>,
    hint: CallHint | undefined,
  ): Promise<void> {
    const found = await this.#stored?.tell(wacid, report, hint)
    if (!found) return
    this.#waiting.get(wacid)?.timer.clear()
    this.#waiting.delete(wacid)
    this.#joined++
  }

  /** What tells the call where its id does not; undefined for a call that comes with its id. */
  #hintOf({ direction, phoneNumberId, contact, at }: CallWebhook): CallHint | undefined {
    const number = phoneNumberId === undefined ? undefined : this.#numberOf(phoneNumberId)
    if (direction !== 'business-initiated' || number === undefined || at === undefined) {
      return undefined
    }
    const names = [contact.waId === undefined ? undefined : `+${contact.waId}`, contact.userId]
    return { number, at, consumers: names.filter((name) => name !== undefined) }
  }

  #join(wacid: string | undefined): void {
    const waiting = wacid === undefined ? undefined : this.#waiting.get(wacid)
    if (!waiting || !this.#calls.recordByWacid(wacid!)) return
    waiting.timer.clear()
    this.#waiting.delete(wacid!)
    this.#tell(wacid!, waiting.report)
  }

  #wait(wacid: string, told: Partial<WhatsAppReport>): void {
    const known = this.#waiting.get(wacid)
    if (known) {
      known.report = mergeReports(known.report, told)
      return
    }
    if (this.#waiting.size >= WAITING) this.#giveUp(this.#waiting.keys().next().value!)
    const timer = this.#clock.setTimeout(() => this.#giveUp(wacid), WAIT)
    this.#waiting.set(wacid, { report: mergeReports(undefined, told), timer })
  }

  #giveUp(wacid: string): void {
    this.#waiting.get(wacid)?.timer.clear()
    this.#waiting.delete(wacid)
    this.#unknown++
    this.#log.info({ wacid }, 'webhook of a call that did not come through Causeway')
  }

  /** The call of a webhook that names it by an id we have not heard of. */
  #withoutId({ number, consumers, at }: CallHint): string | undefined {
    const fits = (call: Call | CallRecord): boolean =>
      call.direction === 'business-initiated' &&
      call.whatsapp.wacid === undefined &&
      call.number === number &&
      consumers.includes(call.consumer) &&
      call.startedAt <= at + APART &&
      (call.endedAt ?? Number.POSITIVE_INFINITY) >= at - APART
    for (const call of this.#calls.active()) if (fits(call)) return call.id
    return this.#calls.ended().slice(0, LOOKED_AT).find(fits)?.id
  }
}

function reportOf(event: CallWebhook): Partial<WhatsAppReport> {
  const { at, status, startedAt, endedAt, duration, errors } = event
  switch (event.event) {
    case 'created':
      return { createdAt: at }
    case 'ringing':
      return { ringingAt: at }
    case 'accepted':
      return { acceptedAt: at }
    case 'rejected':
      return { rejectedAt: at }
    case 'voicemail':
      return { voicemail: event.mediaId ?? '' }
    case 'terminated':
      // Over, even when a word for how is missing.
      return { status: status ?? 'UNKNOWN', startedAt, endedAt, duration, errors }
  }
}
