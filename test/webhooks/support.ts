import { readFileSync } from 'node:fs'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import {
  type ReceiverOptions,
  signatureOf,
  type WebhookEvent,
  WebhookReceiver,
} from '../../src/webhooks/index.ts'
import { FakeClock } from '../support/fake-clock.ts'

export const APP_SECRET = new Secret('app-secret')

/** A webhook of test/fixtures/webhooks, as text. */
export function fixture(name: string): string {
  return readFileSync(`test/fixtures/webhooks/${name}.json`, 'utf8')
}

/** An envelope with one call event. */
export function callEvent(call: Record<string, unknown>): string {
  const metadata = { phone_number_id: '106540352242922' }
  const value = { messaging_product: 'whatsapp', metadata, calls: [call] }
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'calls', value }] }],
  })
}

/** A receiver whose events are collected; the fixtures are from the first minutes of its clock. */
export function receiverLab(change: Partial<ReceiverOptions> = {}) {
  const clock = new FakeClock()
  const events: WebhookEvent[] = []
  const take = (event: WebhookEvent): void => void events.push(event)
  const receiver = new WebhookReceiver({
    verifyToken: () => new Secret('verify-me'),
    appSecret: () => APP_SECRET,
    sinks: {
      onCall: take,
      onSettingsUpdate: take,
      onPermissionReply: take,
      onAccountUpdate: take,
    },
    clock,
    log: silentLogger(),
    ...change,
  })
  /** Signed with the app's secret, worked off. */
  const receive = async (text: string): Promise<string> => {
    const body = Buffer.from(text)
    const answer = receiver.receive(body, signatureOf(APP_SECRET, body))
    await receiver.idle()
    return answer
  }
  /** `field result` of every event so far, with its count. */
  const counted = (): Record<string, number> =>
    Object.fromEntries(
      receiver.counters.events().map(({ field, result, count }) => [`${field} ${result}`, count]),
    )
  const deliveries = (): Record<string, number> =>
    Object.fromEntries(receiver.counters.deliveries().map(({ result, count }) => [result, count]))
  return { receiver, clock, events, receive, counted, deliveries }
}
