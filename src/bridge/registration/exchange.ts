import { CausewayError, type ErrorCode } from '../../shared/errors/index.ts'
import { retryAfterOf, seconds } from '../headers/seconds.ts'
import type { IncomingResponse, ResponseHandler, SipPort } from '../sip-port.ts'
import { EXTENSIONS } from './contact.ts'
import type { RegisterCredentials } from './credentials.ts'
import type { Trouble } from './timing.ts'

/** What became of a REGISTER. */
export type Outcome =
  | { kind: 'ok'; response: IncomingResponse; asked: number }
  /** `retryAfter` in milliseconds. */
  | { kind: Trouble; error: CausewayError; retryAfter: number | undefined }

/** What a REGISTER is made of. */
export interface RegisterPlan {
  /** Request-URI: the registrar, without a user part. */
  uri: string
  /** Address of record, as From and To have it. */
  record: string
  callId: string
  fromTag: string
  /** Counts up by one for each REGISTER with this Call-ID (RFC 3261 §10.2.4). */
  nextCseq: () => number
  /** Seconds asked for; 0 unregisters. */
  expires: number
  /** The Contact for a lifetime, with the parameters of RFC 5626 or without. */
  contact: (expires: number, outbound: boolean) => string
  /** Whether the path to this registrar supports RFC 5626, as far as is known. */
  outbound: boolean
  credentials: RegisterCredentials
}

/** Most REGISTERs of one exchange: digest, a stale nonce, a longer lifetime, without RFC 5626. */
const MOST = 6

/** Longest lifetime a registrar may demand with 423, seconds. */
const LONGEST = 604_800

const CODES: Readonly<Record<Trouble, ErrorCode>> = {
  refused: 'TRUNK_REGISTER_REFUSED',
  unreachable: 'TRUNK_REGISTER_UNREACHABLE',
  failed: 'TRUNK_REGISTER_FAILED',
}

/**
 * One registration or its end: REGISTERs until one is answered for good, that is through the digest,
 * 423 Interval Too Brief (RFC 3261 §10.2.8) and 439 (RFC 5626 §4.4).
 */
export class RegisterExchange implements ResponseHandler {
  readonly #port: SipPort
  readonly #plan: RegisterPlan
  #done: ((outcome: Outcome) => void) | undefined
  #expires: number
  #outbound: boolean
  #sent = 0

  constructor(port: SipPort, plan: RegisterPlan, done: (outcome: Outcome) => void) {
    this.#port = port
    this.#plan = plan
    this.#done = done
    this.#expires = plan.expires
    this.#outbound = plan.outbound
  }

  /** Whether RFC 5626 turned out not to be supported on the way. */
  get withoutOutbound(): boolean {
    return this.#plan.outbound && !this.#outbound
  }

  /** Begins. The outcome may come at once. */
  begin(): void {
    this.#plan.credentials.begin()
    this.#send()
  }

  /** Nobody is told of its outcome any more. */
  abandon(): void {
    this.#done = undefined
  }

  /** Ends it for want of an answer within `ms`. */
  silent(ms: number): void {
    this.#trouble('unreachable', `no answer within ${ms / 1000} s`)
  }

  onResponse(response: IncomingResponse): void {
    const { status, local } = response
    if (status < 200 || !this.#done) return
    if (status < 300) this.#finish({ kind: 'ok', response, asked: this.#expires })
    else if ((status === 401 || status === 407) && !local) this.#challenged(response)
    else if (status === 423 && this.#lengthen(response)) this.#again(response)
    else if (status === 439 && this.#outbound) {
      this.#outbound = false
      this.#again(response)
    } else this.#fail(response)
  }

  onError(error: Error): void {
    this.#trouble('unreachable', error.message)
  }

  #challenged(response: IncomingResponse): void {
    const answer = this.#plan.credentials.take(response)
    if (answer === 'again') this.#again(response)
    else if (answer === 'refused') this.#fail(response)
    else {
      const detail = `${this.#plan.uri} asks for ${challengeText(response)}`
      const error = new CausewayError('TRUNK_REGISTER_CHALLENGE', { detail })
      this.#finish({ kind: 'refused', error, retryAfter: undefined })
    }
  }

  #lengthen(response: IncomingResponse): boolean {
    const min = seconds(response.header('min-expires'))
    if (min === undefined || min <= this.#expires || min > LONGEST || this.#expires === 0)
      return false
    this.#expires = min
    return true
  }

  #again(response: IncomingResponse): void {
    if (this.#sent < MOST) this.#send()
    else this.#fail(response)
  }

  #send(): void {
    const { uri, record, callId, fromTag, nextCseq, contact, credentials } = this.#plan
    this.#sent++
    const headers = {
      'Call-ID': callId,
      From: `${record};tag=${fromTag}`,
      To: record,
      CSeq: `${nextCseq()} REGISTER`,
      Contact: contact(this.#expires, this.#outbound),
      Expires: String(this.#expires),
      ...EXTENSIONS,
      ...credentials.headers(),
    }
    this.#port.request({ method: 'REGISTER', uri, headers }, this)
  }

  #fail(response: IncomingResponse): void {
    const { status, reason, local } = response
    const said = `${status} ${reason}`.trim()
    const retryAfter = retryAfterOf(response)
    if (local) this.#trouble('unreachable', status === 408 ? 'no answer' : said)
    else if (status === 408 || status >= 500) this.#trouble('failed', said, retryAfter)
    else this.#trouble('refused', said, retryAfter)
  }

  #trouble(kind: Trouble, what: string, retryAfter?: number): void {
    const error = new CausewayError(CODES[kind], { detail: `${this.#plan.uri}: ${what}` })
    this.#finish({ kind, error, retryAfter })
  }

  #finish(outcome: Outcome): void {
    const done = this.#done
    this.#done = undefined
    done?.(outcome)
  }
}

/** What the challenge names, without its nonce. */
function challengeText(response: IncomingResponse): string {
  const value = response.header('www-authenticate') ?? response.header('proxy-authenticate') ?? ''
  const algorithm = /algorithm="?([\w-]+)/i.exec(value)?.[1] ?? 'MD5'
  const qop = /qop="([^"]{0,40})"/i.exec(value)?.[1]
  return value === '' ? 'credentials without a challenge' : `${algorithm}, qop ${qop ?? 'none'}`
}
