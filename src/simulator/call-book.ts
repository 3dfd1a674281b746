import type { Clock } from '../shared/clock.ts'
import { withoutPlus } from './party.ts'
import type { PermissionBook } from './permission-book.ts'
import type { CallEvent, SimulatedCall, SimulatedNumber, WebhookChange } from './store.ts'

export interface CallBook {
  record(event: CallEvent): void
  active(number: SimulatedNumber, consumer: string): SimulatedCall | undefined
  all(): readonly SimulatedCall[]
}

/** Calls in progress: counts them for the permission rules and tells the webhooks about them. */
export function createCallBook(options: {
  clock: Clock
  permissions: PermissionBook
  emitWebhook: (change: WebhookChange) => void
}): CallBook {
  const { clock, permissions, emitWebhook } = options
  const calls = new Map<string, SimulatedCall>()

  function send(call: SimulatedCall, body: Record<string, unknown>, errors?: unknown[]): void {
    // In SIP mode call webhooks are off unless sip.webhook_delivery says otherwise.
    if (call.number.calling.webhookDelivery !== 'ENABLED') return
    const consumer = isDigits(call.consumer) ? { wa_id: call.consumer } : { user_id: call.consumer }
    const parties =
      call.direction === 'USER_INITIATED'
        ? { from: call.consumer, to: call.number.digits }
        : { from: call.number.digits, to: call.consumer }
    emitWebhook({
      number: call.number,
      field: 'calls',
      value: {
        messaging_product: 'whatsapp',
        metadata: metadataOf(call.number),
        contacts: [{ profile: { name: call.consumer }, ...consumer }],
        calls: [
          {
            id: call.wacid,
            ...parties,
            timestamp: seconds(clock.now()),
            direction: call.direction,
            ...body,
          },
        ],
        ...(errors ? { errors } : {}),
      },
    })
  }

  function end(call: SimulatedCall, event: CallEvent & { event: 'ended' }): void {
    calls.delete(call.wacid)
    const missed = event.outcome === 'rejected' || event.outcome === 'unanswered'
    if (missed && call.direction === 'BUSINESS_INITIATED') {
      const verdict = permissions.countMissed(call.number, call.consumer)
      if (verdict === 'revoked') emitWebhook(revocation(call, clock.now()))
    }
    const now = clock.now()
    const spoken =
      call.connectedAt === undefined
        ? {}
        : {
            start_time: seconds(call.connectedAt),
            end_time: seconds(now),
            duration: Math.round((now - call.connectedAt) / 1000),
          }
    // A failure repeats its errors inside the call and at value level (live capture).
    const errors = event.error && [
      {
        code: event.error.code,
        title: event.error.title,
        message: event.error.title,
        error_data: { details: event.error.details ?? event.error.title },
      },
    ]
    const status = event.outcome === 'failed' ? 'FAILED' : 'COMPLETED'
    send(call, { event: 'terminate', status, ...spoken, ...(errors ? { errors } : {}) }, errors)
  }

  return {
    record(event) {
      if (event.event === 'created') {
        const consumer = withoutPlus(event.consumer)
        const { wacid, number, direction } = event
        const call = { wacid, number, consumer, direction, connectedAt: undefined }
        calls.set(wacid, call)
        send(call, { event: 'call_created' })
        return
      }
      const call = calls.get(event.wacid)
      if (!call) return
      if (event.event === 'ended') return end(call, event)
      call.connectedAt = clock.now()
      const businessInitiated = call.direction === 'BUSINESS_INITIATED'
      permissions.countConnected(call.number, call.consumer, businessInitiated)
    },
    active(number, consumer) {
      const party = withoutPlus(consumer)
      for (const call of calls.values()) {
        if (call.number === number && call.consumer === party) return call
      }
      return undefined
    },
    all: () => [...calls.values()],
  }
}

/** The `metadata` object of every webhook value. */
export function metadataOf(number: SimulatedNumber): Record<string, string> {
  return { display_phone_number: number.digits, phone_number_id: number.phoneNumberId }
}

/** Four missed calls in a row revoke the permission; the reply webhook has no context then. */
function revocation(call: SimulatedCall, now: number): WebhookChange {
  return {
    number: call.number,
    field: 'messages',
    value: {
      messaging_product: 'whatsapp',
      metadata: metadataOf(call.number),
      messages: [
        {
          from: call.consumer,
          id: `wamid.${Buffer.from(`${call.wacid} revoked`).toString('base64url')}`,
          timestamp: seconds(now),
          type: 'interactive',
          interactive: {
            type: 'call_permission_reply',
            call_permission_reply: { response: 'reject', response_source: 'automatic' },
          },
        },
      ],
    },
  }
}

function isDigits(party: string): boolean {
  return /^\d+$/.test(party)
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1000))
}
