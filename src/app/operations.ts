import type { Bridge } from '../bridge/index.ts'
import { type CallRegistry, recordOf } from '../calls/index.ts'
import { redactedConfig } from '../config/index.ts'
import type { Config } from '../config/types.ts'
import type { Operations, ReloadResult } from '../http/index.ts'
import type { MediaRelay } from '../media/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Calling } from './calling.ts'
import { healthChecks } from './checks.ts'
import { credentialMetrics } from './credential-metrics.ts'
import type { Events } from './events.ts'
import { type MediaWatch, relayMetrics } from './media-watch.ts'
import { metricFamilies } from './metrics.ts'
import type { Records } from './records.ts'
import { registrationChecks, registrationMetrics } from './registrations.ts'
import type { Rotations } from './rotations.ts'
import type { NumberSettings } from './settings.ts'
import type { SipServerHandle } from './sip-server.ts'
import { knownNumber, numberViews, trunkViews } from './views.ts'
import type { Webhooks } from './webhooks.ts'

/** The parts of a running instance that its operations look at and act on. */
export interface InstanceParts {
  version: string
  /** The configuration now. */
  config: () => Config
  clock: Clock
  calls: CallRegistry
  settings: NumberSettings
  calling: Calling
  webhooks: Webhooks
  sip: SipServerHandle
  media: MediaRelay
  watch: MediaWatch
  events: Events
  bridge: Bridge
  records: Records
  rotations: Rotations
  reload: () => Promise<ReloadResult>
}

/** What the HTTP interface may see and do, made of the parts of an instance. */
export function operationsOf(parts: InstanceParts): Operations {
  const { version, config, clock, calls, settings, calling, webhooks, sip, media } = parts
  const { watch, events, bridge, records, rotations, reload } = parts
  const credentials = (name: string): boolean => settings.knows(name)
  const state = (name: string) => settings.state(name)
  const checks = () => [
    ...healthChecks({
      config: config(),
      bridge: bridge.status(),
      listeners: sip.listeners(),
      media,
      settings: state,
      credentials,
      rotation: (name) => rotations.view(name),
      records: records.error,
      now: clock.now(),
    }),
    ...registrationChecks(bridge.registrations(), clock.now()),
    ...calling.checks(),
    ...watch.checks(),
    ...events.checks(),
  ]
  return {
    version,
    checks,
    metrics: async () => [
      ...metricFamilies({
        version,
        calls,
        bridge: bridge.status(),
        checks: checks(),
        listeners: sip.listeners(),
        sip: await sip.metrics().catch(() => undefined),
      }),
      ...credentialMetrics({
        config: config(),
        now: clock.now(),
        readAt: (name) => state(name)?.credentialsAt,
        usedAt: (name) => settings.usedAt(name),
        window: (name) => rotations.window(name),
      }),
      ...registrationMetrics(bridge.registrations()),
      ...relayMetrics(media.status()),
      ...calling.metrics(),
      ...watch.metrics(),
      ...webhooks.metrics(),
      ...events.metrics(),
    ],
    calls: {
      active: () => [...calls.active()].map((call) => recordOf(call, clock.now())),
      ended: () => calls.ended(),
      get: (id) => calls.record(id),
      report: (id) => bridge.mediaReport(id),
      hangUp: (id) => bridge.hangUp(id),
    },
    numbers: () =>
      numberViews(config(), calls, {
        state,
        credentials,
        usedAt: (name) => settings.usedAt(name),
        rotation: (name) => rotations.view(name),
      }),
    rotate: (name, options) => rotations.start(name, options),
    journal: (name, limit) => {
      const number = knownNumber(config(), name)
      return records.journal.entries(number.name, limit)
    },
    trunks: () => trunkViews(config(), calls, bridge.status(), bridge.registrations()),
    config: () => redactedConfig(config()),
    reload,
    drain: () => void bridge.drain(Number.POSITIVE_INFINITY),
    undrain: () => bridge.undrain(),
  }
}
