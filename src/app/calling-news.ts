import type { AccountEvent, PermissionReply } from '../permissions/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { AccountWebhook, PermissionWebhook, WebhookSinks } from '../webhooks/index.ts'

/** Who takes the news of permissions and of WhatsApp's judgement. */
export interface CallingNews {
  applyReply(reply: PermissionReply): boolean
  applyAccountEvent(event: AccountEvent): boolean
}

/** Hands what webhooks tell of permissions and accounts to those who decide on calls. */
export function callingNews(calling: CallingNews, clock: Clock): Partial<WebhookSinks> {
  return {
    onPermissionReply(event) {
      const reply = replyOf(event, clock.now())
      if (reply) calling.applyReply(reply)
    },
    onAccountUpdate(event) {
      for (const one of accountEventsOf(event, clock.now())) calling.applyAccountEvent(one)
    },
  }
}

/** Undefined for a reply that names no number or no consumer. */
export function replyOf(event: PermissionWebhook, now: number): PermissionReply | undefined {
  const { phoneNumberId, contact, response, permanent, expiresAt, at } = event
  const { waId, userId } = contact
  const consumers = [...(waId === undefined ? [] : [`+${waId}`]), ...(userId ? [userId] : [])]
  if (phoneNumberId === undefined || consumers.length === 0) return undefined
  return { phoneNumberId, consumers, response, permanent, expires: expiresAt, at: at ?? now }
}

/** A violation and each restriction as an event of its own. */
function accountEventsOf(event: AccountWebhook, now: number): AccountEvent[] {
  const { phoneNumber, violation, restrictions } = event
  const at = event.at ?? now
  const events: AccountEvent[] = restrictions.map(({ type, expiresAt, remediation }) => ({
    phoneNumber,
    kind: 'restriction',
    type,
    expires: expiresAt,
    remediation,
    at,
  }))
  if (violation) {
    events.unshift({ phoneNumber, kind: 'violation', expires: undefined, at, ...violation })
  }
  return events
}
