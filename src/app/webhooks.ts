import type { CallRegistry } from '../calls/index.ts'
import type { Config } from '../config/types.ts'
import { type EventPublisher, present } from '../events/index.ts'
import type { MetricFamily, WebhookDoor } from '../http/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import {
  type AccountWebhook,
  BODY_LIMIT,
  type CallWebhook,
  type PermissionWebhook,
  type SettingsWebhook,
  WebhookReceiver,
  type WebhookSinks,
} from '../webhooks/index.ts'
import { CallJoiner, type StoredReports } from './call-joiner.ts'
import { numberOfEvent } from './events.ts'
import { counter, gauge, labelled } from './metrics/families.ts'

/** What is done about WhatsApp's webhooks needs. */
export interface WebhooksOptions {
  /** As it is now; a reload may change it. */
  config: () => Config
  calls: CallRegistry
  /** Looks at the settings of a number at once. */
  check: (number: string) => Promise<unknown>
  publisher: EventPublisher
  /** Calls that have ended and are in memory no more. */
  stored?: StoredReports
  clock: Clock
  log: Logger
}

/** WhatsApp's webhooks in a running instance: what each kind of event leads to. */
export class Webhooks implements WebhookSinks {
  /** Others who want events of permissions and accounts. */
  readonly consumers = new Set<Partial<WebhookSinks>>()
  readonly receiver: WebhookReceiver
  readonly joiner: CallJoiner
  readonly #options: WebhooksOptions
  /** Numbers that are looked at, and whether once more afterwards. */
  readonly #looking = new Map<string, boolean>()

  constructor(options: WebhooksOptions) {
    const { config, calls, clock, log } = options
    this.#options = options
    const numberOf = (id: string): string | undefined => this.#number(id)?.name
    this.joiner = new CallJoiner({ calls, stored: options.stored, clock, log, numberOf })
    this.receiver = new WebhookReceiver({
      verifyToken: () => config().whatsapp.webhooks?.verifyToken,
      appSecret: () => config().whatsapp.webhooks?.appSecret,
      sinks: this,
      clock,
      log,
    })
  }

  /** For the HTTP interface. */
  get door(): WebhookDoor {
    const { receiver } = this
    return {
      path: () => this.#options.config().whatsapp.webhooks?.path,
      bodyLimit: BODY_LIMIT,
      handshake: (query) => receiver.handshake(query),
      receive: (body, signature) => receiver.receive(body, signature),
      tooLarge: () => receiver.counters.delivery('too_large'),
    }
  }

  onSettingsUpdate({ phoneNumberId }: SettingsWebhook): void {
    const { log } = this.#options
    const number = this.#number(phoneNumberId)
    if (!number) log.info({ phoneNumberId }, 'settings changed of a number that is not configured')
    else if (number.manage === 'off') {
      log.info({ number: number.name }, 'settings changed; the number is not managed')
    } else {
      log.info({ number: number.name }, 'settings changed; looking at them')
      this.#check(number.name)
    }
  }

  onCall(event: CallWebhook): void {
    this.joiner.onCall(event)
    for (const consumer of this.consumers) consumer.onCall?.(event)
  }

  onPermissionReply(event: PermissionWebhook): void {
    const { publisher, log } = this.#options
    const { contact, response, permanent, expiresAt, source, contextId, at } = event
    const number = this.#number(event.phoneNumberId)
    const consumer = contact.waId === undefined ? undefined : `+${contact.waId}`
    const { userId } = contact
    type Data = Parameters<typeof publisher.publish<'permission.changed'>>[0]['data']
    publisher.publish({
      type: 'permission.changed',
      key: `permission ${consumer ?? userId}`,
      at,
      number: number && numberOfEvent(number),
      data: present<Data>({
        consumer,
        userId,
        response,
        permanent,
        expiresAt,
        source,
        contextId,
      }),
    })
    const facts = { number: number?.name, to: consumer ?? userId, response, permanent, source }
    log.info(facts, 'call permission replied')
    this.#consume('onPermissionReply', event)
  }

  onAccountUpdate(event: AccountWebhook): void {
    const { config, publisher, log } = this.#options
    const { accountId, phoneNumber, violation, restrictions, at } = event
    const number = config().numbers.find((one) => one.phoneNumber === `+${phoneNumber}`)
    const about = { key: `account ${accountId}`, at, number: number && numberOfEvent(number) }
    if (violation) {
      const { type, remediation } = violation
      type Data = Parameters<typeof publisher.publish<'account.violation'>>[0]['data']
      const data = present<Data>({ accountId, violation: type, remediation })
      publisher.publish({ ...about, type: 'account.violation', data })
    }
    if (restrictions.length > 0) {
      type Data = Parameters<typeof publisher.publish<'account.restriction'>>[0]['data']
      const data = present<Data>({
        accountId,
        restrictions: restrictions.map((one) => present<Data['restrictions'][number]>(one)),
      })
      publisher.publish({ ...about, type: 'account.restriction', data })
      // The settings of a number show its restrictions; the event rarely names the number.
      for (const one of number ? [number] : config().numbers) {
        if (one.manage !== 'off') this.#check(one.name)
      }
    }
    const types = restrictions.map(({ type }) => type)
    const facts = { accountId, event: event.event, violation: violation?.type, restrictions: types }
    if (violation || types.length > 0) log.warn(facts, 'WhatsApp judged the account')
    else log.info(facts, 'account update')
    this.#consume('onAccountUpdate', event)
  }

  metrics(): MetricFamily[] {
    const { counters, queued } = this.receiver
    const { joined, waiting, unknown } = this.joiner.counts()
    return [
      counter(
        'webhook_deliveries',
        'POSTs on the webhook path, by what became of them.',
        counters.deliveries().map(({ result, count }) => ({ labels: { result }, value: count })),
      ),
      counter(
        'webhook_events',
        'Events in the webhooks, by field and what became of them.',
        counters
          .events()
          .map(({ field, result, count }) => ({ labels: { field, result }, value: count })),
      ),
      counter(
        'webhook_calls',
        'Webhooks of calls that found their call, or gave up waiting for it.',
        labelled('result', { joined, unknown }),
      ),
      gauge(
        'webhook_queue',
        'Webhooks answered and not worked off, and calls that webhooks wait for.',
        labelled('kind', { deliveries: queued, calls: waiting }),
      ),
    ]
  }

  /** Works off what was answered, and forgets what waits for calls. */
  stop(): void {
    this.receiver.stop()
    this.joiner.stop()
  }

  #number(phoneNumberId: string | undefined) {
    return this.#options.config().numbers.find((one) => one.phoneNumberId === phoneNumberId)
  }

  /** What comes while a number is looked at leads to one more look: the present one may have been too early. */
  #check(number: string): void {
    const again = this.#looking.has(number)
    this.#looking.set(number, again)
    if (again) return
    const { check, log } = this.#options
    check(number)
      .catch((err: unknown) => log.error({ number, err }, 'settings cannot be looked at'))
      .finally(() => {
        const again = this.#looking.get(number)
        this.#looking.delete(number)
        if (again) this.#check(number)
      })
  }

  #consume<K extends 'onPermissionReply' | 'onAccountUpdate'>(
    method: K,
    event: Parameters<WebhookSinks[K]>[0],
  ): void {
    for (const consumer of this.consumers) {
      const take = consumer[method] as ((event: unknown) => void) | undefined
      take?.call(consumer, event)
    }
  }
}
