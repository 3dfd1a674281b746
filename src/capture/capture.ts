import type { Call, CallListener, CallRecord } from '../calls/index.ts'
import type { TraceConfig } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import type { NumberStyle } from '../shared/log.ts'
import type { WireMessage } from '../shared/wire-message.ts'
import { callIdOf, methodOf } from './facts.ts'
import { redactMessage } from './redact/message.ts'
import { Strays } from './strays.ts'
import { CallTranscript } from './transcript.ts'
import type { CaptureCounters, KeptMessage, Leg, Transcript } from './types.ts'

/** What the capture works by. */
export interface CaptureOptions {
  trace: Pick<TraceConfig, 'messages' | 'keep' | 'calls' | 'memory'>
  numbers: NumberStyle
  clock: Clock
}

/** Told of each message, redacted, with the call it belongs to where that is known already. */
export type MessageListener = (message: KeptMessage, call: Joined | undefined) => void

/** Whose a Call-ID is. */
export interface Joined {
  /** The call's id. */
  readonly id: string
  readonly leg: Leg
}

interface Dialog extends Joined {
  readonly transcript: CallTranscript
}

/** Methods that make no calls: their messages wait for none. */
const NO_CALL = new Set(['OPTIONS', 'REGISTER', 'SUBSCRIBE', 'PUBLISH', 'MESSAGE'])

/**
 * Joins the messages of the network to the calls they belong to, by the Call-IDs of both legs. What
 * it keeps has been redacted before, and is bounded: per call, in calls that have ended, and in all.
 */
export class Capture implements CallListener {
  readonly counters: CaptureCounters = { seen: 0, lost: { behind: 0, memory: 0, call: 0 } }
  readonly #options: CaptureOptions
  readonly #listeners = new Set<MessageListener>()
  readonly #dialogs = new Map<string, Dialog>()
  readonly #calls = new Map<string, CallTranscript>()
  /** In the order they ended: the first is the first to go. */
  readonly #ended = new Map<string, CallTranscript>()
  readonly #strays: Strays
  #bytes = 0

  constructor(options: CaptureOptions) {
    this.#options = { ...options }
    this.#strays = new Strays(options.clock)
  }

  /** Octets of text that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes new bounds; what is beyond them goes. */
  configure(trace: CaptureOptions['trace'], numbers: NumberStyle): void {
    this.#options.trace = trace
    this.#options.numbers = numbers
    if (trace.messages === 'off') {
      for (const { transcript } of this.#dialogs.values()) this.#bytes -= transcript.clear()
      this.#strays.clear()
    }
    this.#makeRoom(0)
  }

  /** Tells of every message from now on; the returned function ends it. */
  listen(listener: MessageListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Takes messages as the tap saw them. `lost`: those it saw and could not hand on. */
  take(messages: readonly WireMessage[], lost: number): void {
    this.counters.lost.behind += lost
    this.#strays.expire()
    for (const message of messages) this.#takeOne(message)
  }

  /** A call's leg has this Call-ID: what came under it before is the call's as well. */
  joined(call: Pick<Call, 'id' | 'startedAt'>, leg: Leg, callId: string): void {
    let transcript = this.#calls.get(call.id)
    if (!transcript) {
      transcript = new CallTranscript(call.id, call.startedAt)
      this.#calls.set(call.id, transcript)
    }
    transcript.callIds.add(callId)
    this.#dialogs.set(callId, { id: call.id, leg, transcript })
    for (const message of this.#strays.adopt(callId)) this.#keep(transcript, leg, message)
  }

  /** The call's messages stay until there is no room. */
  ended({ id }: Pick<CallRecord, 'id'>): void {
    const transcript = this.#calls.get(id)
    if (!transcript) return
    this.#ended.set(id, transcript)
    this.#makeRoom(0)
  }

  /** Whose a Call-ID is; undefined for no call's. */
  callOf(callId: string): Joined | undefined {
    return this.#dialogs.get(callId)
  }

  /** The messages of a call; undefined when none were kept. */
  transcript(id: string): Transcript | undefined {
    const transcript = this.#calls.get(id)
    return transcript && !transcript.empty ? transcript.view() : undefined
  }

  #takeOne(message: WireMessage): void {
    this.counters.seen++
    const callId = callIdOf(message.text)
    const kept: KeptMessage = {
      ...message,
      callId: callId ?? '',
      text: redactMessage(message.text, this.#options.numbers),
    }
    const dialog = callId === undefined ? undefined : this.#dialogs.get(callId)
    for (const listener of this.#listeners) listener(kept, dialog)
    if (this.#options.trace.messages === 'off' || callId === undefined) return
    if (dialog) this.#keep(dialog.transcript, dialog.leg, kept)
    else if (!NO_CALL.has(methodOf(message.text) ?? '')) this.#strays.keep(callId, kept)
  }

  #keep(transcript: CallTranscript, leg: Leg, message: KeptMessage): void {
    if (!this.#makeRoom(message.text.length)) {
      transcript.dropped++
      this.counters.lost.memory++
      return
    }
    const before = transcript.dropped
    this.#bytes += transcript.add({ ...message, leg }, this.#options.trace.keep)
    this.counters.lost.call += transcript.dropped - before
  }

  /** Lets go of the oldest ended calls until there is room; false when none is left to let go of. */
  #makeRoom(bytes: number): boolean {
    const { calls, memory } = this.#options.trace
    while (this.#ended.size > calls || this.#bytes + bytes > memory) {
      const [oldest] = this.#ended.values()
      if (!oldest) return false
      this.#forget(oldest)
    }
    return true
  }

  #forget(transcript: CallTranscript): void {
    this.#bytes -= transcript.clear()
    this.#ended.delete(transcript.id)
    this.#calls.delete(transcript.id)
    for (const callId of transcript.callIds) {
      if (this.#dialogs.get(callId)?.transcript === transcript) this.#dialogs.delete(callId)
    }
  }
}
