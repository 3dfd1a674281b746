import type {
  InboundConfig,
  OutboundConfig,
  PresentationConfig,
  RouteConfig,
  TrunkStep,
} from './route-types.ts'
import { formatDuration } from './units.ts'

type Keys = Record<string, unknown>

/** `inbound` in the file's own keys. */
export function inboundView(inbound: InboundConfig): Keys {
  const { routes } = inbound
  return {
    ...way(inbound),
    ...(routes.length > 0 ? { routes: routes.map((route) => routeView(route)) } : {}),
  }
}

function routeView({ name, match, refuse, inbound }: RouteConfig): Keys {
  const { params, country, payload, hours } = match
  const conditions = present({
    params: Object.keys(params).length > 0 ? params : undefined,
    country: filled(country),
    payload: filled(payload),
    hours,
  })
  return { name, match: conditions, ...(refuse === undefined ? way(inbound) : { refuse }) }
}

function way(inbound: Omit<InboundConfig, 'routes'>): Keys {
  return present({
    ...step(inbound),
    overflow: overflowView(inbound),
    early_media: inbound.earlyMedia || undefined,
    announcement: inbound.announcement,
  })
}

/** A name where everything else is as in the first step, a single one without a list. */
function overflowView(inbound: Omit<InboundConfig, 'routes'>): unknown {
  const entries = inbound.overflow.map((entry) => {
    const same =
      entry.to === inbound.to &&
      entry.from === inbound.from &&
      entry.ringTimeout === inbound.ringTimeout
    return same ? entry.trunk : step(entry)
  })
  return entries.length === 1 && typeof entries[0] === 'string' ? entries[0] : filled(entries)
}

function step({ trunk, to, from, ringTimeout }: TrunkStep): Keys {
  return { trunk, to, from, ring_timeout: formatDuration(ringTimeout) }
}

/** `outbound` in the file's own keys. */
export function outboundView({ number, to, by, prefixes }: OutboundConfig): Keys {
  return present({ number, to, by, prefixes: filled(prefixes) })
}

/** `presentation` in the file's own keys. */
export function presentationView(presentation: PresentationConfig): Keys {
  return present({
    numbers: presentation.numbers,
    country_code: presentation.countryCode,
    national_prefix: presentation.nationalPrefix,
    international_prefix: presentation.internationalPrefix,
    identity: presentation.identity,
    from: presentation.from,
    display: presentation.display,
    user_id: presentation.userId,
    user_id_number: presentation.userIdNumber,
  })
}

function filled<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined
}

function present(values: Keys): Keys {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
