import { headerValue, type SipResponse } from '../message/index.ts'
import type { Context } from './context.ts'
import type { Dialog } from './dialog.ts'
import { removeDialog } from './own-requests.ts'

/** Time a subscription's last NOTIFY may take after the subscription has run out, ms. */
const grace = 32_000
/** Interval assumed when a 2xx to SUBSCRIBE names none, seconds. */
const usual = 3600
/** Longest timer the platform takes, milliseconds. */
const longest = 2 ** 31 - 1

/** Ends the dialog of a subscription that is not refreshed (RFC 6665 §4.1.2, §4.2.1). */
export function watchSubscription(context: Context, dialog: Dialog, response: SipResponse): void {
  if (dialog.usage !== 'SUBSCRIBE') return
  dialog.expiry?.clear()
  const value = headerValue(response.headers, 'expires')
  const seconds = value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : usual
  dialog.expiry = context.clock.setTimeout(
    () => removeDialog(context, dialog),
    Math.min(seconds * 1000 + grace, longest),
  )
}
