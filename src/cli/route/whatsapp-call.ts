import { parseUri } from '../../bridge/address/uri.ts'
import { readArrival } from '../../bridge/admit/arriving.ts'
import { Directory } from '../../bridge/admit/directory.ts'
import { inviteToPbx } from '../../bridge/headers/invite-pbx.ts'
import type { WhatsAppFacts } from '../../calls/index.ts'
import type { Config, NumberConfig, TrunkTarget } from '../../config/types.ts'
import {
  type ArrivingCall,
  chainOf,
  chooseRoute,
  countryOf,
  explainRoutes,
  type RouteFinding,
} from '../../routing/index.ts'
import { hasWindows, judgeSchedule } from '../../shared/call-hours.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { PastedInvite } from './pasted-invite.ts'
import { type ShownInvite, shownInvite, UNSENT } from './shown-invite.ts'

/** One trunk a call is tried at. */
export interface ChainStep {
  trunk: string
  /** Milliseconds. */
  ring_timeout: number
  targets: string[]
  /** What its first target gets; undefined for a trunk without targets. */
  invite: ShownInvite | undefined
}

/** Why a call from a WhatsApp user goes where it goes. */
export interface WhatsAppExplanation {
  side: 'whatsapp'
  number: string | undefined
  business: string | undefined
  consumer: string | undefined
  profile: string | undefined
  country: { country: string; by: string } | undefined
  params: Record<string, string>
  payloads: readonly string[]
  /** Milliseconds since the epoch. */
  at: number
  hours: { time_zone: string | undefined; open: boolean; opens_at: number | undefined } | undefined
  routes: RouteFinding[]
  /** Name of the route that took the call. */
  route: string | undefined
  /** What WhatsApp is answered instead; undefined when the call goes to a trunk. */
  refused: { status: number; error: CausewayError } | undefined
  chain: ChainStep[]
}

/** Explains what becomes of WhatsApp's INVITE at a moment, milliseconds since the epoch. */
export function explainWhatsAppCall(
  config: Config,
  invite: PastedInvite,
  at: number,
): WhatsAppExplanation {
  const directory = new Directory(config, config.sip.listen)
  const number = directory.numberOf(parseUri(invite.uri)?.user ?? '')
  const arrival = readArrival(invite, at)
  const known = arrival && whoCalls(arrival.call, arrival.facts)
  const bare = { ...EMPTY, ...known, at, number: number?.name, business: number?.phoneNumber }
  if (!number) return refusedWith(bare, 'CALL_NUMBER_UNKNOWN', invite.uri)
  if (!arrival) return refusedWith(bare, 'CALL_REQUEST_BAD', 'From cannot be read')
  const route = chooseRoute(number, arrival.call)
  const judged = {
    ...bare,
    hours: hoursOf(number, at),
    routes: explainRoutes(number, arrival.call),
    route: route?.name,
  }
  if (!route) return refusedWith(judged, 'CALL_INBOUND_OFF', `number ${number.name}`)
  if (route.refuse !== undefined) {
    const detail = `route ${route.name}`
    const error = new CausewayError('CALL_ROUTE_REFUSED', { detail, sip: route.refuse })
    return { ...judged, refused: { status: route.refuse, error } }
  }
  const chain = chainOf(route.inbound).flatMap((step): ChainStep[] => {
    const trunk = directory.trunk(step.trunk)
    if (!trunk) return []
    const build = (target: TrunkTarget): ShownInvite => {
      const { sip } = config
      const { facts, call } = arrival
      const draft = inviteToPbx({
        number,
        trunk,
        target,
        route: route.name,
        caller: call.consumer,
        facts,
        domain: sip.domain,
        ...UNSENT,
      })
      return shownInvite(draft, sip, target.transport)
    }
    const [first] = trunk.targets
    return [
      {
        trunk: trunk.name,
        ring_timeout: step.ringTimeout,
        targets: trunk.targets.map(({ uri }) => uri),
        invite: first && build(first),
      },
    ]
  })
  return { ...judged, chain }
}

const EMPTY: WhatsAppExplanation = {
  side: 'whatsapp',
  number: undefined,
  business: undefined,
  consumer: undefined,
  profile: undefined,
  country: undefined,
  params: {},
  payloads: [],
  at: 0,
  hours: undefined,
  routes: [],
  route: undefined,
  refused: undefined,
  chain: [],
}

function whoCalls(call: ArrivingCall, facts: WhatsAppFacts): Partial<WhatsAppExplanation> {
  return {
    consumer: call.consumer,
    profile: facts.displayName,
    country: countryOf(call),
    params: Object.fromEntries(call.params),
    payloads: call.payloads,
  }
}

function hoursOf({ calling }: NumberConfig, at: number): WhatsAppExplanation['hours'] {
  if (!hasWindows(calling.call_hours)) return undefined
  const { open, opensAt } = judgeSchedule(calling.call_hours, at)
  return { time_zone: calling.call_hours?.timezone_id, open, opens_at: opensAt }
}

function refusedWith(
  explanation: WhatsAppExplanation,
  code: 'CALL_NUMBER_UNKNOWN' | 'CALL_REQUEST_BAD' | 'CALL_INBOUND_OFF',
  detail: string,
): WhatsAppExplanation {
  const error = new CausewayError(code, { detail })
  return { ...explanation, refused: { status: error.sip, error } }
}
