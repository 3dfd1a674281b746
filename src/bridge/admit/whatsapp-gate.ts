import type { NumberConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { digitsOf } from '../address/consumer.ts'
import { parseUri } from '../address/uri.ts'
import type { BridgeContext } from '../context.ts'
import { credentialsFor, type Verdict, verify } from '../digest/verify.ts'
import type { IncomingRequest } from '../sip-port.ts'

/** What becomes of a request at the door. */
export type Entry<T> =
  | { kind: 'in'; value: T }
  /** Answer 407, asking again after `stale`. */
  | { kind: 'challenge'; stale: boolean }
  | { kind: 'refused'; error: CausewayError }

/**
 * Whether an INVITE is WhatsApp's: source network, a number of ours in the Request-URI (its user part
 * may carry parameters), and the digest of that number.
 */
export async function admitWhatsApp(
  ctx: BridgeContext,
  request: IncomingRequest,
): Promise<Entry<NumberConfig>> {
  const { directory } = ctx
  const { config } = directory
  if (!directory.isWhatsApp(request.sourceAddress)) {
    return refused('CALL_SOURCE_REFUSED', request.sourceAddress)
  }
  const number = directory.numberOf(parseUri(request.uri)?.user ?? '')
  if (!number) return refused('CALL_NUMBER_UNKNOWN', request.uri)
  if (ctx.heldNumbers.has(number.name)) return { kind: 'refused', error: rotating(number.name) }
  if (!config.whatsapp.challenge) return { kind: 'in', value: number }
  const credentials = credentialsFor(
    config.sip.domain,
    request.header('proxy-authorization'),
    request.header('authorization'),
  )
  if (!credentials) {
    ctx.digests.checked('whatsapp', 'challenged')
    return { kind: 'challenge', stale: false }
  }
  const check = (): Verdict | undefined => {
    const password = ctx.credentials.get(number.name)
    const digits = digitsOf(number.phoneNumber)
    const account = password && { usernames: [digits, `+${digits}`], password }
    return account && verify(credentials, account, request.method, ctx.nonces)
  }
  let verdict = check()
  if (verdict === undefined || verdict === 'wrong') {
    // The password may have been rotated at WhatsApp; the source limits how often it is read.
    await ctx.credentials.refresh(number.name)
    verdict = check()
  }
  ctx.digests.checked('whatsapp', verdict ?? 'unknown')
  if (verdict === 'good') return { kind: 'in', value: number }
  if (verdict === 'stale') return { kind: 'challenge', stale: true }
  const place = `number ${number.name}`
  if (verdict === undefined) {
    return { kind: 'refused', error: new CausewayError('CALL_CREDENTIALS_MISSING', { place }) }
  }
  return { kind: 'refused', error: new CausewayError('CALL_CHALLENGE_FAILED', { place }) }
}

/** Why a number that is held takes no call. */
export function rotating(number: string): CausewayError {
  return new CausewayError('CALL_NUMBER_ROTATING', { place: `number ${number}` })
}

function refused(code: 'CALL_SOURCE_REFUSED' | 'CALL_NUMBER_UNKNOWN', detail: string) {
  return { kind: 'refused' as const, error: new CausewayError(code, { detail }) }
}
