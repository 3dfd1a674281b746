import type { CallDirection } from './call.ts'

/** Seconds of one billing pulse of WhatsApp (pricing of calls: answered business-initiated calls, by pulse). */
export const PULSE_SECONDS = 6

/** What WhatsApp bills for a call, as far as its length tells. */
export interface CallBilling {
  /** Pulses of {@link PULSE_SECONDS}, begun ones in full; 0 of a call that is free or was not answered. */
  readonly pulses: number
  /** Length they are computed of, seconds. */
  readonly seconds: number
  /** Whose length it is: WhatsApp's webhook, WhatsApp's BYE, or our own clock while WhatsApp has said nothing. */
  readonly basis: 'webhook' | 'bye' | 'causeway'
}

/** The lengths that are known of a call. */
export interface CallLengths {
  readonly direction: CallDirection
  /** Ours from answer to end, milliseconds; undefined when it was not answered. */
  readonly talkMs: number | undefined
  /** Seconds, of WhatsApp's BYE. */
  readonly bye: number | undefined
  /** Seconds, of WhatsApp's webhook. */
  readonly webhook: number | undefined
}

/**
 * The pulses of a call. Calls from consumers are free; answered calls from the business are billed in pulses of
 * six seconds by the consumer's country. WhatsApp's own length counts, ours stands in until it is known.
 */
export function billingOf({ direction, talkMs, bye, webhook }: CallLengths): CallBilling {
  const basis = webhook !== undefined ? 'webhook' : bye !== undefined ? 'bye' : 'causeway'
  const seconds = webhook ?? bye ?? (talkMs ?? 0) / 1000
  const billed = direction === 'business-initiated' && seconds > 0
  return { pulses: billed ? Math.ceil(seconds / PULSE_SECONDS) : 0, seconds, basis }
}
