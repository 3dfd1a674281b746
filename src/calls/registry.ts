import type { Clock } from '../shared/clock.ts'
import { Call, type CallOptions, type CallWatcher } from './call.ts'
import type { LadderEntry } from './ladder.ts'
import { type CallRecord, recordOf, withReport } from './record.ts'
import type { CallState } from './state.ts'
import { mergeReports, type WhatsAppReport } from './whatsapp-report.ts'

/** What others may want to know of calls. Called synchronously; must not throw. */
export interface CallListener {
  started?(call: Call): void
  changed?(call: Call, from: CallState): void
  /** A leg of the call has a dialog, or tries for one, of this Call-ID. */
  joined?(call: Call, leg: LadderEntry['leg'], callId: string): void
  /** The call's one record, once. */
  ended?(record: CallRecord): void
  /** The record of an ended call again, with the last figures of its media. */
  reported?(record: CallRecord): void
  /** WhatsApp's webhooks said something of a call, active or ended. */
  told?(record: CallRecord): void
}

/** How many ended calls are kept for lookups. */
export const ENDED_KEPT = 1000

/** All calls: the active ones, and the records of the last {@link ENDED_KEPT} that ended. */
export class CallRegistry {
  readonly #clock: Clock
  readonly #keep: number
  readonly #active = new Map<string, Call>()
  // Insertion order is age: the oldest key is the first.
  readonly #ended = new Map<string, CallRecord>()
  readonly #wacids = new Map<string, string>()
  readonly #perNumber = new Map<string, number>()
  readonly #listeners = new Set<CallListener>()

  constructor(clock: Clock, keep = ENDED_KEPT) {
    this.#clock = clock
    this.#keep = keep
  }

  /** Begins a call. */
  begin(options: CallOptions): Call {
    const call = new Call(options, this.#clock, this.#watcher)
    this.#active.set(call.id, call)
    this.#perNumber.set(call.number, this.activeOf(call.number) + 1)
    const { wacid } = call.whatsapp
    if (wacid !== undefined) this.#wacids.set(wacid, call.id)
    for (const listener of this.#listeners) listener.started?.(call)
    return call
  }

  /** Number of calls in progress. */
  get size(): number {
    return this.#active.size
  }

  /** Number of calls in progress of one business number. */
  activeOf(number: string): number {
    return this.#perNumber.get(number) ?? 0
  }

  active(): IterableIterator<Call> {
    return this.#active.values()
  }

  /** Records of ended calls, newest first. */
  ended(): CallRecord[] {
    return [...this.#ended.values()].reverse()
  }

  /** The active call of this id. */
  get(id: string): Call | undefined {
    return this.#active.get(id)
  }

  /** The call of this id, active or ended, as data. */
  record(id: string): CallRecord | undefined {
    const call = this.#active.get(id)
    return call ? recordOf(call, this.#clock.now()) : this.#ended.get(id)
  }

  /** The call WhatsApp knows by this id. */
  recordByWacid(wacid: string): CallRecord | undefined {
    const id = this.#wacids.get(wacid)
    return id === undefined ? undefined : this.record(id)
  }

  /**
   * Takes WhatsApp's id of a call that was made without one: a business-initiated call gets its id from
   * WhatsApp. Nothing happens when the call has one.
   */
  learnWacid(id: string, wacid: string): void {
    const facts = this.#active.get(id)?.whatsapp ?? this.#ended.get(id)?.whatsapp
    if (!facts || facts.wacid !== undefined) return
    facts.wacid = wacid
    this.#index(id, wacid)
  }

  /**
   * Adds what WhatsApp's webhooks say to the call they name, active or ended.
   *
   * @returns the call's record; undefined when no call of that id is known
   */
  tell(wacid: string, told: Partial<WhatsAppReport>): CallRecord | undefined {
    const id = this.#wacids.get(wacid)
    if (id === undefined) return undefined
    const call = this.#active.get(id)
    const known = call ?? this.#ended.get(id)
    if (!known) return undefined
    const report = mergeReports(known.whatsappReport, told)
    if (call) call.whatsappReport = report
    else this.#ended.set(id, withReport(this.#ended.get(id)!, report))
    const record = this.record(id)!
    for (const listener of this.#listeners) listener.told?.(record)
    return record
  }

  /** Tells the listeners what WhatsApp's webhooks said of a call that is kept elsewhere. */
  announce(record: CallRecord): void {
    for (const listener of this.#listeners) listener.told?.(record)
  }

  /**
   * Forgets the ended calls that are chosen.
   * @returns how many
   */
  forget(chosen: (record: CallRecord) => boolean): number {
    const doomed = [...this.#ended.values()].filter(chosen)
    for (const record of doomed) this.#drop(record)
    return doomed.length
  }

  /** Adds a listener; the returned function takes it away. */
  subscribe(listener: CallListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  readonly #watcher: CallWatcher = {
    changed: (call, from) => {
      // WhatsApp's headers may have told it since the last change.
      this.#index(call.id, call.whatsapp.wacid)
      if (call.state === 'ended') this.#retire(call)
      for (const listener of this.#listeners) listener.changed?.(call, from)
    },
    reported: (call) => this.#complete(call),
    joined: (call, leg, callId) => {
      for (const listener of this.#listeners) listener.joined?.(call, leg, callId)
    },
  }

  #index(id: string, wacid: string | undefined): void {
    if (wacid !== undefined && !this.#wacids.has(wacid)) this.#wacids.set(wacid, id)
  }

  /** Replaces the record of an ended call, which keeps its place in age. */
  #complete(call: Call): void {
    const kept = this.#ended.get(call.id)
    const whole = recordOf(call, this.#clock.now())
    const record = kept?.whatsappReport ? withReport(whole, kept.whatsappReport) : whole
    if (kept) this.#ended.set(call.id, record)
    for (const listener of this.#listeners) listener.reported?.(record)
  }

  #retire(call: Call): void {
    this.#active.delete(call.id)
    const left = this.activeOf(call.number) - 1
    if (left > 0) this.#perNumber.set(call.number, left)
    else this.#perNumber.delete(call.number)
    const record = recordOf(call, this.#clock.now())
    this.#ended.set(call.id, record)
    if (this.#ended.size > this.#keep) this.#forgetOldest()
    for (const listener of this.#listeners) listener.ended?.(record)
  }

  #forgetOldest(): void {
    this.#drop(this.#ended.values().next().value!)
  }

  #drop({ id, whatsapp: { wacid } }: CallRecord): void {
    this.#ended.delete(id)
    if (wacid !== undefined && this.#wacids.get(wacid) === id) this.#wacids.delete(wacid)
  }
}
