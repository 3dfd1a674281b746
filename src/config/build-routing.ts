import { resolve } from 'node:path'
import type { InboundConfig, PresentationConfig, RouteConfig, TrunkStep } from './route-types.ts'
import type { FileValues } from './schema/index.ts'

type InboundValues = NonNullable<FileValues['numbers'][number]['inbound']>
type RouteValues = InboundValues['routes'][number]

/** `inbound` with its routes, each filled in with what `inbound` says. */
export function buildInbound(values: InboundValues, folder: string): InboundConfig {
  const step: TrunkStep = {
    trunk: values.trunk,
    to: values.to,
    from: values.from,
    ringTimeout: values.ring_timeout,
  }
  const base = {
    ...step,
    overflow: buildOverflow(values.overflow, step),
    earlyMedia: values.early_media,
    announcement: values.announcement && resolve(folder, values.announcement),
  }
  return {
    ...base,
    routes: values.routes.map((route, index) =>
      buildRoute(route, index, { base, overflow: values.overflow, folder }),
    ),
  }
}

/** Name of a route that has none. */
export function routeName(name: string | undefined, index: number): string {
  return name ?? `route-${index + 1}`
}

function buildRoute(
  values: RouteValues,
  index: number,
  within: {
    base: Omit<InboundConfig, 'routes'>
    /** As `inbound` has it in the file. */
    overflow: InboundValues['overflow']
    folder: string
  },
): RouteConfig {
  const { match } = values
  const { base, folder } = within
  const step: TrunkStep = {
    trunk: values.trunk ?? base.trunk,
    to: values.to ?? base.to,
    from: values.from ?? base.from,
    ringTimeout: values.ring_timeout ?? base.ringTimeout,
  }
  // A chain belongs to the trunk it begins with: another trunk, another chain.
  const inherited = values.trunk === undefined ? within.overflow : undefined
  return {
    name: routeName(values.name, index),
    match: {
      params: match.params ?? {},
      country: listOf(match.country),
      payload: listOf(match.payload),
      hours: match.hours,
    },
    refuse: values.refuse,
    inbound: {
      ...step,
      overflow: buildOverflow(values.overflow ?? inherited, step),
      earlyMedia: values.early_media ?? base.earlyMedia,
      announcement:
        values.announcement === undefined
          ? base.announcement
          : resolve(folder, values.announcement),
    },
  }
}

function buildOverflow(values: InboundValues['overflow'], first: TrunkStep): TrunkStep[] {
  return listOf(values).map((entry) => {
    if (typeof entry === 'string') return { ...first, trunk: entry }
    return {
      trunk: entry.trunk,
      to: entry.to ?? first.to,
      from: entry.from ?? first.from,
      ringTimeout: entry.ring_timeout ?? first.ringTimeout,
    }
  })
}

/** `presentation` with its defaults. */
export function buildPresentation(
  values: FileValues['trunks'][number]['presentation'],
): PresentationConfig {
  return {
    numbers: values.numbers,
    countryCode: values.country_code,
    nationalPrefix: values.national_prefix,
    internationalPrefix: values.international_prefix,
    identity: values.identity,
    from: values.from,
    display: values.display,
    userId: values.user_id,
    userIdNumber: values.user_id_number,
  }
}

function listOf<T>(value: T | readonly T[] | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T]
}
