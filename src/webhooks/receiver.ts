import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import { Notices } from '../shared/notices.ts'
import type { Secret } from '../shared/secret.ts'
import { AHEAD, ageOf, OLDEST } from './age.ts'
import { type EventResult, WebhookCounters } from './counters.ts'
import { answerHandshake } from './handshake.ts'
import { parseEnvelope } from './parse.ts'
import { SeenContent } from './seen.ts'
import { isSigned } from './signature.ts'
import type { ParsedItem, WebhookEvent, WebhookSinks } from './types.ts'

/** Largest body that is read, bytes. Real ones have a few kilobytes. */
export const BODY_LIMIT = 1024 * 1024
/** Deliveries that wait to be worked off, and their bytes; beyond either WhatsApp is asked to try again. */
const QUEUE_LIMIT = 10_000
const QUEUE_BYTES = 32 * 1024 * 1024
/** Deliveries, and their bytes, worked off before calls and other requests have their turn. */
const BATCH = 16
const BATCH_BYTES = 128 * 1024
/** Events remembered to tell repetitions. */
const SEEN_LIMIT = 100_000

export interface ReceiverOptions {
  /** As configured now; a reload may change them. */
  verifyToken: () => Secret | undefined
  appSecret: () => Secret | undefined
  sinks: WebhookSinks
  clock: Clock
  log: Logger
  /** Default {@link QUEUE_LIMIT}. */
  queueLimit?: number
  /** Default {@link SEEN_LIMIT}. */
  seenLimit?: number
}

/** What to answer a delivery. */
export type ReceiverAnswer = 'accepted' | 'forged' | 'full'

/**
 * Takes WhatsApp's webhooks: the signature is checked at once, everything else happens after the answer. A
 * signed delivery is answered `accepted` whatever is in it, because WhatsApp would send the same again for days.
 */
export class WebhookReceiver {
  readonly counters = new WebhookCounters()
  readonly #options: ReceiverOptions
  readonly #notices: Notices
  readonly #seen: SeenContent
  readonly #queue: Buffer[] = []
  readonly #waiting: (() => void)[] = []
  #bytes = 0
  #scheduled: NodeJS.Immediate | undefined
  #stopped = false
  /** Of the last event: one line is enough for many outside the window. */
  #age: ReturnType<typeof ageOf> = 'fresh'

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#notices = new Notices(options.log, options.clock)
    // An event is outside the window before it is forgotten.
    const keep = OLDEST + AHEAD
    this.#seen = new SeenContent(options.clock, keep, options.seenLimit ?? SEEN_LIMIT)
  }

  /** The body that answers a verification handshake; undefined: 403. */
  handshake(query: Readonly<Record<string, unknown>>): string | undefined {
    const answer = answerHandshake(query, this.#options.verifyToken())
    if (answer === undefined) this.#refused('APP_WEBHOOK_HANDSHAKE')
    return answer
  }

  /** Takes the raw body of a POST. Never throws. */
  receive(body: Buffer, signature: unknown): ReceiverAnswer {
    const secret = this.#options.appSecret()
    if (!secret || !isSigned(secret, body, signature)) {
      this.counters.delivery('forged')
      this.#refused('APP_WEBHOOK_SIGNATURE')
      return 'forged'
    }
    const limit = this.#options.queueLimit ?? QUEUE_LIMIT
    const full = this.#queue.length >= limit || this.#bytes + body.length > QUEUE_BYTES
    if (full || this.#stopped) {
      this.counters.delivery('refused_full')
      this.#refused('APP_WEBHOOK_BUSY')
      return 'full'
    }
    this.#queue.push(body)
    this.#bytes += body.length
    this.#schedule()
    return 'accepted'
  }

  /** Deliveries that wait to be worked off. */
  get queued(): number {
    return this.#queue.length
  }

  /** Resolves when nothing waits. */
  idle(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Works off what waits and takes nothing more. */
  stop(): void {
    this.#stopped = true
    if (this.#scheduled) clearImmediate(this.#scheduled)
    while (this.#queue.length > 0) this.#work()
  }

  #refused(code: 'APP_WEBHOOK_HANDSHAKE' | 'APP_WEBHOOK_SIGNATURE' | 'APP_WEBHOOK_BUSY'): void {
    const { fix } = new CausewayError(code)
    this.#notices.tell(code, 'warn', { code, fix }, 'webhook refused')
  }

  #schedule(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined
      this.#work()
    })
  }

  #work(): void {
    let taken = 0
    for (let bytes = 0; taken < BATCH && bytes < BATCH_BYTES; taken++) {
      const body = this.#queue[taken]
      if (!body) break
      bytes += body.length
      this.#open(body)
    }
    for (const body of this.#queue.splice(0, taken)) this.#bytes -= body.length
    if (this.#queue.length === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    else if (!this.#stopped) this.#schedule()
  }

  #open(body: Buffer): void {
    const { log } = this.#options
    const items = parseEnvelope(jsonOf(body))
    if (!items) {
      this.counters.delivery('malformed')
      log.warn({ bytes: body.length }, 'a signed webhook cannot be read')
      return
    }
    this.counters.delivery('accepted')
    for (const item of items) this.counters.event(item.field, this.#handle(item))
  }

  #handle({ field, event, raw }: ParsedItem): EventResult {
    const { clock, log } = this.#options
    if (!event) return 'ignored'
    const age = ageOf(event.at, clock.now())
    const told = age === this.#age
    this.#age = age
    if (age !== 'fresh') {
      const seconds = Math.round((clock.now() - event.at!) / 1000)
      const text = `webhook event ignored: it is ${age}; is this clock right?`
      log[told ? 'debug' : 'warn']({ field, seconds }, text)
      return age
    }
    if (!this.#seen.add(`${field} ${JSON.stringify(raw)}`)) return 'duplicate'
    try {
      tell(this.#options.sinks, event)
      return 'handled'
    } catch (err) {
      log.error({ field, err }, 'webhook event not handled')
      return 'failed'
    }
  }
}

function tell(sinks: WebhookSinks, event: WebhookEvent): void {
  if (event.kind === 'call') sinks.onCall(event)
  else if (event.kind === 'settings') sinks.onSettingsUpdate(event)
  else if (event.kind === 'permission') sinks.onPermissionReply(event)
  else sinks.onAccountUpdate(event)
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
