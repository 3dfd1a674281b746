/** An error WhatsApp names for a call, as in its rules: 138021 is "media receive timeout". */
export interface WhatsAppCallError {
  readonly code: number | undefined
  readonly title: string | undefined
  readonly details: string | undefined
}

/**
 * What WhatsApp's webhooks say of a call: its own account of it, beside ours. Times in milliseconds since
 * the Unix epoch. What no webhook told is undefined.
 */
export interface WhatsAppReport {
  /** When the call was attempted. */
  readonly createdAt: number | undefined
  /** The consumer's phone rang, and what it came to; WhatsApp does not promise them with SIP. */
  readonly ringingAt: number | undefined
  readonly acceptedAt: number | undefined
  readonly rejectedAt: number | undefined
  /** `COMPLETED`, `FAILED`, or another word, once the call is over; unanswered calls are completed. */
  readonly status: string | undefined
  /** When it was picked up and when it ended; only of a call that was picked up. */
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  /** Seconds; only of a call that was picked up. */
  readonly duration: number | undefined
  readonly errors: readonly WhatsAppCallError[]
  /** The consumer left a voicemail: id of the audio in the Media API. */
  readonly voicemail: string | undefined
}

/** A report that says nothing. */
export const EMPTY_REPORT: WhatsAppReport = {
  createdAt: undefined,
  ringingAt: undefined,
  acceptedAt: undefined,
  rejectedAt: undefined,
  status: undefined,
  startedAt: undefined,
  endedAt: undefined,
  duration: undefined,
  errors: [],
  voicemail: undefined,
}

/** Both reports in one, whatever order they came in; what is known already stays. */
export function mergeReports(
  known: WhatsAppReport | undefined,
  told: Partial<WhatsAppReport>,
): WhatsAppReport {
  const before = known ?? EMPTY_REPORT
  const errors = before.errors.length > 0 ? before.errors : (told.errors ?? [])
  const defined = Object.fromEntries(
    Object.entries(before).filter(([, value]) => value !== undefined),
  )
  return { ...EMPTY_REPORT, ...told, ...defined, errors }
}
