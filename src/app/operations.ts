import type { Bridge } from '../bridge/index.ts'
import { type CallRegistry, recordOf } from '../calls/index.ts'
import { redactedConfig } from '../config/index.ts'
import type { Config } from '../config/types.ts'
import type { Operations } from '../http/index.ts'
import type { MediaRelay } from '../media/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { CallRecords } from './call-records.ts'
import type { Calling } from './calling.ts'
import { healthChecks } from './checks.ts'
import { credentialMetrics } from './credential-metrics.ts'
import type { Events } from './events.ts'
import { type MediaWatch, relayMetrics } from './media-watch.ts'
import type { InstanceWatch } from './metrics/instance-watch.ts'
import { metricFamilies } from './metrics.ts'
import type { Records } from './records.ts'
import { registrationChecks, registrationMetrics } from './registrations.ts'
import type { Reloader } from './reloader.ts'
import type { Rotations } from './rotations.ts'
import type { NumberSettings } from './settings.ts'
import type { SipServerHandle } from './sip-server.ts'
import { type Spans, spanMetrics } from './telemetry.ts'
import type { Tracing } from './tracing.ts'
import { trunkMetrics, trunkViews } from './trunks.ts'
import { knownNumber, numberViews } from './views.ts'
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
  counts: InstanceWatch
  events: Events
  tracing: Tracing
  spans: () => Spans | undefined
  bridge: Bridge
  records: Records
  callRecords: CallRecords
  rotations: Rotations
  reloader: Reloader
}

/** What the HTTP interface may see and do, made of the parts of an instance. */
export function operationsOf(parts: InstanceParts): Operations {
  const { version, config, clock, calls, settings, calling, webhooks, sip, media } = parts
  const { watch, counts, events, tracing, spans, bridge, records, callRecords } = parts
  const { rotations, reloader } = parts
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
    reloader.check(),
    ...calling.checks(),
    ...watch.checks(),
    ...events.checks(),
    ...callRecords.checks(),
  ]
  const instanceFamilies = async () => {
    const server = await sip.metrics().catch(() => undefined)
    const now = { checks: checks(), sip: server }
    const { load } = server ?? {}
    return [
      ...metricFamilies({
        version,
        bridge: bridge.status(),
        digests: bridge.digests(),
        listeners: sip.listeners(),
        ...now,
      }),
      ...counts.families({ ...now, settings: state, media: media.status(), sip: load }),
    ]
  }
  return {
    version,
    checks,
    metrics: async () => [
      ...(await instanceFamilies()),
      ...credentialMetrics({
        config: config(),
        now: clock.now(),
        readAt: (name) => state(name)?.credentialsAt,
        usedAt: (name) => settings.usedAt(name),
        window: (name) => rotations.window(name),
      }),
      ...trunkMetrics(bridge.status()),
      ...registrationMetrics(bridge.registrations()),
      ...reloader.metrics(),
      ...relayMetrics(media.status()),
      ...calling.metrics(),
      ...watch.metrics(),
      ...webhooks.metrics(),
      ...events.metrics(),
      ...callRecords.metrics(),
      ...tracing.metrics(),
      ...spanMetrics(spans()),
    ],
    calls: {
      active: () => [...calls.active()].map((call) => recordOf(call, clock.now())),
      ended: () => calls.ended(),
      get: (id) => calls.record(id),
      report: (id) => bridge.mediaReport(id),
      hangUp: (id) => bridge.hangUp(id),
      stored: callRecords.stored,
      messages: (id) => tracing.messages(id),
      pcap: (id) => tracing.pcap(id),
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
    trunks: () => trunkViews(bridge.status(), bridge.registrations(), clock.now()),
    config: () => redactedConfig(config()),
    reload: () => reloader.reload(),
    reloads: () => reloader.view(),
    drain: () => void bridge.drain(Number.POSITIVE_INFINITY),
    undrain: () => bridge.undrain(),
  }
}
