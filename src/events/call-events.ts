import {
  type Call,
  type CallListener,
  type CallRecord,
  recordOf,
  type WhatsAppReport,
} from '../calls/index.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { callData, endedData, present, reportData } from './call-data.ts'
import type { EventDraft, EventNumber, EventPublisher } from './publisher.ts'
import type { EventData } from './schema.ts'

/** How long the end of an answered call waits for the last figures of its media, milliseconds. */
const FIGURES = 2000
/** Ended calls whose progress is remembered, for what WhatsApp tells afterwards. */
const REMEMBERED = 1000

type CallType = Extract<keyof EventData, `call.${string}`>

/** The end of a call, which waits for the figures of its media. */
interface Ending {
  record: CallRecord
  sequence: number
  timer: Timer | undefined
  /** What happened meanwhile and is told after it. */
  after: (() => void)[]
}

interface Progress {
  sequence: number
  /** What is told once. */
  told: Set<CallType>
  ending: Ending | undefined
}

/**
 * Makes events of what happens to calls. The listener only notes it; the events are made and published once
 * the signalling has done its part.
 */
export class CallEvents implements CallListener {
  readonly #publisher: EventPublisher
  readonly #clock: Clock
  readonly #numberOf: (name: string) => EventNumber | undefined
  readonly #calls = new Map<string, Progress>()
  readonly #ended: string[] = []
  #noted: (() => void)[] = []

  constructor(options: {
    publisher: EventPublisher
    clock: Clock
    /** A number by its name in the configuration. */
    numberOf: (name: string) => EventNumber | undefined
  }) {
    this.#publisher = options.publisher
    this.#clock = options.clock
    this.#numberOf = options.numberOf
  }

  started(call: Call): void {
    this.#calls.set(call.id, { sequence: 0, told: new Set(), ending: undefined })
    this.#note('call.started', call.id, () => this.#record(call), callData)
  }

  changed(call: Call): void {
    const type = `call.${call.state}` as const
    if (type !== 'call.ringing' && type !== 'call.answered') return
    this.#note(type, call.id, () => this.#record(call), callData)
  }

  ended(record: CallRecord): void {
    const progress = this.#calls.get(record.id)
    if (!progress) return
    this.#ended.push(record.id)
    if (this.#ended.length > REMEMBERED) this.#calls.delete(this.#ended.shift()!)
    const sequence = ++progress.sequence
    if (!this.#publisher.wants('call.ended')) return
    // Only a call that was answered has figures worth waiting for.
    const timer =
      record.answeredAt === undefined
        ? undefined
        : this.#clock.setTimeout(() => this.#end(progress), FIGURES)
    progress.ending = { record, sequence, timer, after: [] }
    if (!timer) this.#later(() => this.#end(progress))
  }

  reported(record: CallRecord): void {
    const progress = this.#calls.get(record.id)
    if (!progress?.ending) return
    progress.ending.record = record
    this.#later(() => this.#end(progress))
  }

  told(record: CallRecord): void {
    const { whatsappReport: report } = record
    if (!report) return
    if (report.status !== undefined) {
      this.#note(
        'call.reported',
        record.id,
        () => record,
        (call) => reportData(call, report),
      )
    }
    if (report.voicemail === undefined) return
    this.#note(
      'call.voicemail',
      record.id,
      () => record,
      (call) => voicemailData(call, report),
    )
  }

  /** Publishes what waits. */
  flush(): void {
    this.#run()
    for (const progress of this.#calls.values()) this.#end(progress)
  }

  #end(progress: Progress): void {
    const { ending } = progress
    if (!ending) return
    progress.ending = undefined
    ending.timer?.clear()
    const { record, sequence } = ending
    const at = record.endedAt
    this.#publish(record, { type: 'call.ended', at, sequence, data: endedData(record) })
    for (const publish of ending.after) publish()
  }

  #record(call: Call): CallRecord {
    return recordOf(call, this.#clock.now())
  }

  /**
   * Takes a place in the order of the call's events now; the event is made later, and only when somebody
   * wants it. Once for each type.
   */
  #note<T extends CallType>(
    type: T,
    id: string,
    recordNow: () => CallRecord,
    dataOf: (call: CallRecord) => EventData[T],
  ): void {
    // A call that ended long ago is remembered no more; what WhatsApp says of it has no place then.
    const progress = this.#calls.get(id)
    if (progress?.told.has(type)) return
    progress?.told.add(type)
    const sequence = progress ? ++progress.sequence : undefined
    if (!this.#publisher.wants(type)) return
    const at = this.#clock.now()
    const record = recordNow()
    const publish = (): void => {
      this.#publish(record, { type, at, sequence, data: dataOf(record) })
    }
    if (progress?.ending) progress.ending.after.push(publish)
    else this.#later(publish)
  }

  #publish<T extends CallType>(record: CallRecord, draft: Omit<EventDraft<T>, 'key'>): void {
    this.#publisher.publish({ ...draft, key: record.id, number: this.#numberOf(record.number) })
  }

  #later(make: () => void): void {
    this.#noted.push(make)
    if (this.#noted.length === 1) setImmediate(() => this.#run())
  }

  #run(): void {
    const noted = this.#noted
    this.#noted = []
    for (const make of noted) make()
  }
}

function voicemailData(call: CallRecord, report: WhatsAppReport): EventData['call.voicemail'] {
  const mediaId = report.voicemail === '' ? undefined : report.voicemail
  return present<EventData['call.voicemail']>({ ...callData(call), mediaId })
}
