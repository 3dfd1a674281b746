import type { TrunkConfig, TrunkTarget } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { names } from '../headers/allow.ts'
import { parseReferTo, type ReferTarget } from '../headers/refer-to.ts'
import type { IncomingRequest } from '../sip-port.ts'
import type { TargetHealth } from '../trunks/target-health.ts'
import type { EstablishedCall } from './established.ts'
import type { PbxLeg } from './pbx-leg.ts'
import { ReferSubscription } from './refer-subscription.ts'
import { refuseRefer, Transfer } from './transfer.ts'

/** Transfers one call may go through: extensions may transfer to each other for ever. */
const TRANSFER_LIMIT = 20

/** Handles a REFER of the PBX (RFC 3515): a transfer of the WhatsApp user within the trunk. */
export function onRefer(established: EstablishedCall, leg: PbxLeg, request: IncomingRequest): void {
  const wish = readWish(established, leg, request)
  if (wish instanceof CausewayError) {
    refuseRefer(established, request, wish)
    return
  }
  leg.refers++
  established.transfers++
  const subscription = new ReferSubscription(established, leg, {
    // RFC 3515 §2.4.6: from the second REFER of a dialog on, notifications name theirs.
    id: leg.refers > 1 ? Number.parseInt(request.header('cseq') ?? '', 10) : undefined,
    suppressed: /^\s*false\b/i.test(request.header('refer-sub') ?? ''),
  })
  new Transfer(established, { ...wish, subscription }).begin(request)
}

interface Wish {
  target: ReferTarget
  /** Where the INVITE is tried, in order. */
  targets: TrunkTarget[]
  referredBy: string | undefined
}

function readWish(
  established: EstablishedCall,
  leg: PbxLeg,
  request: IncomingRequest,
): Wish | CausewayError {
  const { ctx, trunk } = established
  const missing = (request.header('require') ?? '')
    .split(',')
    .map((option) => option.trim().toLowerCase())
    .filter((option) => option !== '' && !names('norefersub, replaces, timer', option))
  if (missing.length > 0) {
    return new CausewayError('CALL_EXTENSION_UNSUPPORTED', { detail: missing.join(', ') })
  }
  const referTo = request.header('refer-to') ?? ''
  const target = parseReferTo(referTo)
  if (!target) return new CausewayError('CALL_REFER_INVALID', { detail: referTo || 'no Refer-To' })
  const targets = targetsFor(trunk, target, ctx.targets)
  if (target.method !== 'INVITE' || targets.length === 0) {
    return new CausewayError('CALL_REFER_FORBIDDEN', { detail: referTo })
  }
  if (established.takeover || leg !== established.pbx) {
    return new CausewayError('CALL_TRANSFER_PENDING')
  }
  if (established.transfers >= TRANSFER_LIMIT) return new CausewayError('CALL_TRANSFER_LIMIT')
  const referredBy = request
    .header('referred-by')
    ?.slice(0, 512)
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
  return { target, targets, referredBy }
}

/**
 * Where a transfer goes: to the target of the trunk the URI names, else, with a user part, to the
 * trunk's targets as any call does. No other host is ever called, so that nothing loops.
 */
export function targetsFor(
  trunk: TrunkConfig,
  { user, host, port }: ReferTarget,
  health: TargetHealth,
): TrunkTarget[] {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  const own = health.targetsOf(trunk).filter((target) => target.host.toLowerCase() === bare)
  const exact = own.filter((target) => port === undefined || (target.port ?? 5060) === port)
  if (own.length > 0) return exact.length > 0 ? exact : own
  return user === '' ? [] : [...health.order(trunk)]
}
