import type { NumberConfig, PresentationConfig, TrunkStep } from '../config/types.ts'
import { formatNumber, isUserId } from './number-plan.ts'
import { fillTemplate, withoutPlus } from './template.ts'

/** What is known of the parties of a call towards the PBX. */
export interface CallParties {
  number: Pick<NumberConfig, 'name' | 'phoneNumber'>
  /** `+E.164` or BSUID. */
  caller: string
  /** Name of the WhatsApp profile. */
  profile?: string | undefined
  username?: string | undefined
  /** ISO 3166-1 alpha-2. */
  country?: string | undefined
  /** Name of the route that took the call. */
  route?: string | undefined
}

/** A display name and a user part, neither escaped yet. */
export interface Shown {
  display: string
  user: string
}

/** Who is shown to the PBX, and where. */
export interface Presented {
  /** User part of R-URI and To. */
  to: string
  /** Undefined: From is anonymous, with `Privacy: id` (RFC 3323 §4.1, RFC 3325 §9.3). */
  from: Shown | undefined
  /** The WhatsApp user in P-Asserted-Identity (RFC 3325); undefined without that header. */
  pai: Shown | undefined
  /** The same in Remote-Party-ID (draft-ietf-sip-privacy-04). */
  rpid: Shown | undefined
}

/** Applies a trunk's policy to the parties of a call. */
export function present(
  policy: PresentationConfig,
  step: Pick<TrunkStep, 'to' | 'from'>,
  parties: CallParties,
): Presented {
  const { number, caller } = parties
  const written = (value: string): string => formatNumber(value, policy.numbers, policy)
  const places: Record<string, string> = {
    business: written(number.phoneNumber),
    'business:digits': withoutPlus(number.phoneNumber),
    caller: written(caller),
    'caller:digits': withoutPlus(caller),
  }
  const hidden = isUserId(caller) && policy.userId !== 'keep' ? policy.userIdNumber : undefined
  const who: Shown = {
    display:
      hidden !== undefined && policy.userId === 'display'
        ? caller
        : displayOf(policy.display, parties, places),
    user: hidden ?? fillTemplate(step.from, places),
  }
  const business: Shown = { display: who.display, user: places['business']! }
  const { from, identity } = policy
  return {
    to: fillTemplate(step.to, places),
    from: from === 'anonymous' ? undefined : from === 'business' ? business : who,
    pai: identity === 'pai' || identity === 'both' ? who : undefined,
    rpid: identity === 'rpid' || identity === 'both' ? who : undefined,
  }
}

function displayOf(policy: string, parties: CallParties, places: Record<string, string>): string {
  if (policy === 'none') return ''
  const profile = parties.profile ?? ''
  if (policy === 'profile') return profile
  if (policy === 'number') return places['caller']!
  const filled = fillTemplate(policy, {
    ...places,
    profile,
    username: parties.username ?? '',
    country: parties.country ?? '',
    line: parties.number.name,
    route: parties.route ?? '',
  })
  return filled
    .replace(/\(\s*\)/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}
