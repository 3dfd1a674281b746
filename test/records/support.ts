import {
  type CallOptions,
  type CallRecord,
  CallRegistry,
  causeOf,
  hungUpBy,
} from '../../src/calls/index.ts'
import { Backend } from '../../src/records/backend.ts'
import type { BackendOptions, Reply, Request } from '../../src/records/messages.ts'
import { type StoredCall, storedCall } from '../../src/records/stored.ts'
import type { StartThread } from '../../src/records/thread.ts'
import { CausewayError, type ErrorCode } from '../../src/shared/errors/index.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Start of the first call of every test: 2026-11-29T08:00:00Z. */
export const START = Date.UTC(2026, 10, 29, 8)
const SECOND = 1000

/** What may differ from call to call. */
export interface CallFacts extends Partial<CallOptions> {
  /** Milliseconds since the Unix epoch. */
  at?: number
  /** Milliseconds between answer and end; undefined: it was not answered. */
  talk?: number | undefined
  code?: ErrorCode
}

/** The record of a call that has ended, made by a real registry. */
export function record(id: string, facts: CallFacts = {}): CallRecord {
  const { at = START, talk, code, ...options } = facts
  const clock = new FakeClock(at)
  const registry = new CallRegistry(clock)
  const call = registry.begin({
    id,
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
    ...options,
  })
  call.note('whatsapp', 'in', 'INVITE')
  call.moveTo('calling')
  clock.advance(SECOND)
  call.moveTo('ringing')
  if (talk !== undefined) {
    clock.advance(SECOND)
    call.moveTo('answered')
    clock.advance(talk)
  }
  call.end(talk === undefined ? causeOf(new CausewayError(code ?? 'CALL_BUSY')) : hungUpBy('pbx'))
  return registry.record(id)!
}

/** Calls of one minute each, a minute apart. */
export function records(count: number, facts: CallFacts = {}): CallRecord[] {
  return Array.from({ length: count }, (_, n) =>
    record(`c${n}`, { at: START + n * 60_000, talk: 60_000, ...facts }),
  )
}

export function stored(count: number, facts: CallFacts = {}): StoredCall[] {
  return records(count, facts).map(storedCall)
}

/** The thread of the history in this thread; `kill` ends it as a crash would, with what was not written. */
export class NearThread {
  readonly clock: FakeClock
  readonly requests: Request[] = []
  /** Answers are held back. */
  mute = false
  backend: Backend | undefined
  starts = 0
  #gone: ((error: CausewayError) => void) | undefined

  constructor(clock: FakeClock) {
    this.clock = clock
  }

  readonly start: StartThread = (options: BackendOptions, { reply, gone }) => {
    this.starts++
    this.#gone = gone
    const backend = new Backend(options, {
      clock: this.clock,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      reply: (message: Reply) => {
        if (!this.mute && this.backend === backend) reply(message)
      },
    })
    this.backend = backend
    return {
      post: (request) => {
        this.requests.push(request)
        if (this.backend === backend) void backend.take(request)
      },
      stop: async () => {},
    }
  }

  /** How many writes were asked for. */
  get writes(): number {
    return this.requests.filter(({ kind, body }) => kind === 'write' && body.length > 0).length
  }

  async kill(): Promise<void> {
    const { backend } = this
    this.backend = undefined
    await backend?.take({ n: 0, kind: 'close', body: undefined })
    this.#gone?.(new CausewayError('APP_RECORDS_BUSY', { detail: 'killed' }))
  }
}

/** Lets what is under way in this thread get done. */
export async function settled(turns = 20): Promise<void> {
  for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve))
}
