import { createHmac } from 'node:crypto'
import { fetch } from 'undici'
import type { Clock, Timer } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import type { WebhookChange } from '../store.ts'

/** The one subscriber of the simulator's webhooks. */
export interface WebhookSubscription {
  url: string
  verifyToken?: string
  /** Signs the deliveries; default: the secret of the number's first app that has one. */
  appSecret?: string
}

/** What a delivery came to. */
export interface WebhookDelivery {
  field: WebhookChange['field']
  value: Record<string, unknown>
  /** HTTP status of the last try; 0 when there was no answer. */
  status: number
  tries: number
}

export interface WebhookSender {
  /** Sends every change twice. */
  duplicates: boolean
  /** Holds a change back until the next one has been sent before it, or one second has passed. */
  reorder: boolean
  subscribe(subscription: WebhookSubscription | undefined): void
  /** The verification handshake: whether the subscriber echoed the challenge. */
  verify(): Promise<boolean>
  send(change: WebhookChange): void
  /** The last deliveries, oldest first. */
  readonly deliveries: readonly WebhookDelivery[]
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>
  stop(): void
}

/** Meta gives a subscriber about 20 s. */
const TIMEOUT = 20_000
const TRIES = 5
const KEPT = 500
const HELD = 1000

/** Delivers changes one after another: signed, retried with doubling pauses when not answered 200. */
export function createWebhookSender(options: { clock: Clock; random: Random }): WebhookSender {
  const { clock, random } = options
  const deliveries: WebhookDelivery[] = []
  const stopping = new AbortController()
  let subscription: WebhookSubscription | undefined
  let queue = Promise.resolve()
  let held: { change: WebhookChange; timer: Timer } | undefined

  async function post(target: WebhookSubscription, change: WebhookChange): Promise<number> {
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        { id: change.number.wabaId, changes: [{ field: change.field, value: change.value }] },
      ],
    })
    const limit = new AbortController()
    const timer = clock.setTimeout(() => limit.abort(), TIMEOUT)
    try {
      const response = await fetch(target.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signature(target, change, body) },
        body,
        signal: AbortSignal.any([limit.signal, stopping.signal]),
      })
      await response.arrayBuffer()
      return response.status
    } catch {
      return 0
    } finally {
      timer.clear()
    }
  }

  async function deliver(change: WebhookChange): Promise<void> {
    const target = subscription
    if (!target) return
    const delivery = { field: change.field, value: change.value, status: 0, tries: 0 }
    deliveries.push(delivery)
    if (deliveries.length > KEPT) deliveries.shift()
    while (delivery.tries < TRIES && !stopping.signal.aborted) {
      if (delivery.tries > 0) await pause(1000 * 2 ** (delivery.tries - 1))
      delivery.tries++
      delivery.status = await post(target, change)
      if (delivery.status === 200) return
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.clear()
        stopping.signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = clock.setTimeout(end, ms)
      stopping.signal.addEventListener('abort', end)
    })
  }

  function enqueue(change: WebhookChange): void {
    const copies = sender.duplicates ? 2 : 1
    for (let copy = 0; copy < copies; copy++) queue = queue.then(() => deliver(change))
  }

  function release(): void {
    if (!held) return
    held.timer.clear()
    const { change } = held
    held = undefined
    enqueue(change)
  }

  const sender: WebhookSender = {
    duplicates: false,
    reorder: false,
    deliveries,
    subscribe(next) {
      subscription = next
    },
    async verify() {
      if (!subscription) return false
      const challenge = String(random.int(100_000_000, 2_000_000_000))
      const url = new URL(subscription.url)
      url.searchParams.set('hub.mode', 'subscribe')
      url.searchParams.set('hub.verify_token', subscription.verifyToken ?? '')
      url.searchParams.set('hub.challenge', challenge)
      const response = await fetch(url, { signal: stopping.signal })
      return (await response.text()) === challenge && response.status === 200
    },
    send(change) {
      if (stopping.signal.aborted) return
      if (!sender.reorder) return enqueue(change)
      if (held) {
        enqueue(change)
        release()
      } else held = { change, timer: clock.setTimeout(release, HELD) }
    },
    async idle() {
      for (let last: unknown; last !== queue; ) {
        last = queue
        await queue
      }
    },
    stop() {
      held?.timer.clear()
      stopping.abort()
    },
  }
  return sender
}

/** X-Hub-Signature-256: HMAC-SHA256 of the raw body with the app secret. */
function signature(
  subscription: WebhookSubscription,
  change: WebhookChange,
  body: string,
): Record<string, string> {
  const apps = [...change.number.apps.values()]
  const secret = subscription.appSecret ?? apps.find((app) => app.appSecret)?.appSecret
  if (secret === undefined) return {}
  const digest = createHmac('sha256', secret).update(body).digest('hex')
  return { 'x-hub-signature-256': `sha256=${digest}` }
}
