/** An answer of the Graph API that is an error. */
export class GraphFailure extends Error {
  readonly status: number
  readonly code: number
  readonly details: string
  readonly subcode: number | undefined

  constructor(status: number, code: number, details: string, subcode?: number) {
    super(details)
    this.status = status
    this.code = code
    this.details = details
    this.subcode = subcode
  }
}

/** Code 100, Graph's answer to every malformed or forbidden value. */
export function invalid(details: string): GraphFailure {
  return new GraphFailure(400, 100, details)
}

/** The error envelope of the Graph API. */
export function envelopeOf(
  failure: { code: number; details: string; subcode?: number | undefined },
  trace: string,
): Record<string, unknown> {
  const { code, details, subcode } = failure
  const title = TITLES[code] ?? details
  return {
    error: {
      message: code === 190 ? title : `(#${code}) ${title}`,
      type:
        code === 190 || code === 10 || code >= 130000 ? 'OAuthException' : 'GraphMethodException',
      code,
      ...(subcode === undefined ? {} : { error_subcode: subcode }),
      ...(details === title ? {} : { error_data: { messaging_product: 'whatsapp', details } }),
      fbtrace_id: trace,
    },
  }
}

const TITLES: Record<number, string> = {
  4: 'Application request limit reached',
  10: 'Application does not have permission for this action',
  100: 'Invalid parameter',
  190: 'Invalid OAuth access token - Cannot parse access token',
  200: 'Permissions error',
  613: 'Calls to this api have exceeded the rate limit.',
  80007: 'Rate limit issues',
  130429: 'Rate limit hit',
  131055: 'Method not allowed',
  138000: 'Calling not enabled',
  138006: 'No approved call permission',
  138009: 'Call permission request limit hit',
  138014: 'Business calling paused',
  138015: 'Cannot enable calling',
  138017: 'Permanent permission already granted',
  138018: 'Calling cannot be enabled',
}
