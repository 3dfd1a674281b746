/** Whether a consumer lets a business number call. `temporary` ends by itself, 168 hours after the approval. */
export type PermissionStatus = 'no_permission' | 'temporary' | 'permanent'

/** One quota of an action, as `call_permissions` counts it. */
export interface PermissionLimit {
  /** ISO 8601: `PT24H`, `P7D`. */
  period: string
  max: number
  used: number
  /** When the limit is over, milliseconds since the epoch; only while it is reached. */
  until: number | undefined
}

/** What may be done towards a consumer, and how often. */
export interface PermissionAction {
  /** WhatsApp's own verdict for now; undefined when it gave none. */
  allowed: boolean | undefined
  limits: PermissionLimit[]
}

/** The answer of `GET /{phone-number-id}/call_permissions`. Undefined: not reported. */
export interface CallPermission {
  status: PermissionStatus
  /** End of a temporary permission, milliseconds since the epoch. */
  expires: number | undefined
  /** `send_call_permission_request` */
  request: PermissionAction | undefined
  /** `start_call` */
  call: PermissionAction | undefined
}

/** The message that asks a consumer: a template outside the service window, else free-form. */
export type RequestMessage =
  | { template: string; language: string }
  | {
      /** Body of the free-form message; WhatsApp's own words alone when undefined. */
      text: string | undefined
    }

/** A consumer's answer to a permission request, or a change WhatsApp made by itself. */
export interface PermissionReply {
  /** Graph ID of the business number. */
  phoneNumberId: string
  /** Every name the webhook has for the consumer: number with or without `+`, business-scoped user ID. */
  consumers: readonly string[]
  response: 'accept' | 'reject'
  permanent: boolean
  /** End of a temporary permission, milliseconds since the epoch; default 168 hours from `at`. */
  expires: number | undefined
  /** Time of the event, milliseconds since the epoch: an older one than what is known changes nothing. */
  at: number
}

/** How a business-initiated call went, as far as the permission is concerned. */
export type CallOutcome =
  | 'answered'
  /** Unanswered, declined or given up while it rang: counts towards revocation. */
  | 'missed'
  /** WhatsApp refused for want of permission. */
  | 'no-permission'
  /** WhatsApp refused because the connected calls of the day are used up. */
  | 'limit'

/** A quality event of `account_update`. */
export interface AccountEvent {
  /** Business number, `+` and digits or digits; undefined: the event names an account only. */
  phoneNumber: string | undefined
  kind: 'violation' | 'restriction'
  /** `LOW_BUSINESS_INITIATED_CALLING_QUALITY`, `RESTRICTED_BUSINESS_INITIATED_CALLING`, … */
  type: string
  /** Milliseconds since the epoch; undefined: 7 days after `at`. */
  expires: number | undefined
  /** WhatsApp's advice, when it gave one. */
  remediation: string | undefined
  /** Time of the event, milliseconds since the epoch. */
  at: number
}
