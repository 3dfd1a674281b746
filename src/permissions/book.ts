import type { NumberConfig } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import { isCausewayError } from '../shared/errors/index.ts'
import { PermissionCache } from './cache.ts'
import type { PermissionClient } from './client.ts'
import { pairKey } from './party.ts'
import { RequestLog } from './request-log.ts'
import { type NumberCount, Tally } from './tally.ts'
import type { CallPermission, PermissionReply, RequestMessage } from './types.ts'
import { judgeRequest } from './verdict.ts'

/**
 * What consumers permit: from memory where it is known, else asked of the API, once for all who want to know
 * of the same consumer at the same time.
 */
export class PermissionBook {
  readonly #clock: Clock
  readonly #client: () => PermissionClient
  readonly #cache: PermissionCache
  readonly #requests: RequestLog
  readonly #sent = new Tally()
  readonly #reading = new Map<string, Promise<CallPermission>>()
  readonly #asking = new Map<string, Promise<void>>()

  /** `client` is asked for when it is first needed: without checks there is none. */
  constructor(clock: Clock, client: () => PermissionClient, limit?: number) {
    this.#clock = clock
    this.#client = client
    this.#cache = new PermissionCache(clock, limit)
    this.#requests = new RequestLog(clock)
  }

  /** Consumers remembered. */
  get size(): number {
    return this.#cache.size
  }

  /** Request messages so far: `sent`, or the code of the failure. */
  get requests(): readonly NumberCount[] {
    return this.#sent.all()
  }

  /** What is known without asking. */
  known({ phoneNumberId }: NumberConfig, consumer: string): CallPermission | undefined {
    return this.#cache.get(pairKey(phoneNumberId, consumer))
  }

  /** Asks the API. Rejects with CausewayError; errors are not remembered. */
  read(number: NumberConfig, consumer: string): Promise<CallPermission> {
    const pair = pairKey(number.phoneNumberId, consumer)
    return shared(this.#reading, pair, async () => {
      const asked = this.#clock.now()
      const permission = await this.#client().query(number, consumer)
      return this.#cache.read(pair, permission, asked)
    })
  }

  /** Why the consumer may not be asked now; undefined: the request may be sent. */
  judgeRequest({ phoneNumberId }: NumberConfig, consumer: string, permission: CallPermission) {
    if (permission.request) return judgeRequest(permission, this.#clock.now())
    return this.#requests.judge(pairKey(phoneNumberId, consumer))
  }

  /** Sends the request message, once for all who want it sent now. Rejects with CausewayError. */
  ask(number: NumberConfig, consumer: string, message: RequestMessage): Promise<void> {
    const pair = pairKey(number.phoneNumberId, consumer)
    return shared(this.#asking, pair, async () => {
      try {
        await this.#client().request(number, consumer, message)
      } catch (error) {
        this.#sent.add(number.name, isCausewayError(error) ? error.code : 'failed')
        throw error
      }
      this.#sent.add(number.name, 'sent')
      this.#requests.sent(pair)
      this.#cache.requested(pair)
    })
  }

  /** Takes a reply out of a webhook; false when nothing new is in it. */
  apply(reply: PermissionReply): boolean {
    const pairs = new Set(reply.consumers.map((name) => pairKey(reply.phoneNumberId, name)))
    return [...pairs].map((pair) => this.#cache.apply(pair, reply)).includes(true)
  }

  /** A call with the consumer connected. */
  connected(pair: string, businessInitiated: boolean): void {
    this.#requests.reset(pair)
    this.#cache.connected(pair, businessInitiated)
  }

  /** WhatsApp judged otherwise than what is known here. */
  forget(pair: string): void {
    this.#cache.forget(pair)
  }
}

/** The work under way for a key, or begun. */
function shared<T>(
  running: Map<string, Promise<T>>,
  key: string,
  begin: () => Promise<T>,
): Promise<T> {
  const known = running.get(key)
  if (known) return known
  const work = begin().finally(() => running.delete(key))
  running.set(key, work)
  return work
}
