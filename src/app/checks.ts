import type { BridgeStatus } from '../bridge/index.ts'
import type { Config } from '../config/types.ts'
import type { ListenerInfo } from '../embedded-drachtio/index.ts'
import type { HealthCheck, RotationView } from '../http/index.ts'
import type { MediaRelay } from '../media/index.ts'
import type { NumberSettingsState } from '../settings/index.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import { targetDetail } from './trunks.ts'

/** What the checks look at. */
export interface CheckSources {
  config: Config
  bridge: BridgeStatus
  listeners: readonly ListenerInfo[]
  media: MediaRelay
  settings: (number: string) => NumberSettingsState | undefined
  /** Whether the SIP password of a number is known. */
  credentials: (number: string) => boolean
  /** The last rotation of a number's password. */
  rotation?: (number: string) => RotationView | undefined
  /** Why nothing is kept under `records.path`. */
  records?: CausewayError | undefined
  /** Milliseconds since the Unix epoch. */
  now: number
}

/** Days before its end from which a certificate warns. */
const CERTIFICATE_WARNING = 14
const DAY = 86_400_000

/** Every check of the health report, after contract section 4. */
export function healthChecks(sources: CheckSources): HealthCheck[] {
  return [
    sipServer(sources),
    ...drain(sources),
    relay(sources),
    ...records(sources),
    ...sources.listeners.flatMap((listener) => certificateCheck(listener, sources.now)),
    ...sources.config.numbers.map((number) => numberCheck(number.name, sources)),
    ...sources.config.trunks.map((trunk) => trunkCheck(trunk.name, sources)),
  ]
}

function sipServer({ config, bridge, listeners }: CheckSources): HealthCheck {
  const { connected } = bridge
  // What the bridge was told when it connected, unless the server is ours: a reload may change it.
  const own = listeners.map(
    ({ transport, externalAddress, host, port }) =>
      `${transport}/${externalAddress ?? host}:${port}`,
  )
  const endpoints = own.length > 0 ? own : bridge.endpoints
  return {
    component: 'sip-server',
    id: config.sip.server.kind,
    status: connected ? 'pass' : 'fail',
    output: connected ? `connected: ${endpoints.join(', ')}` : 'not connected',
    ready: connected,
  }
}

function drain({ bridge }: CheckSources): HealthCheck[] {
  if (!bridge.draining) return []
  const output = `draining: new calls are refused, ${bridge.calls} in progress`
  return [{ component: 'drain', id: 'process', status: 'warn', output, ready: false }]
}

/** Share of the RTP ports in use from which health warns. */
const PORTS_WARNING = 0.8

/** The relay fails when it can take no call, and warns when a part of it is lost or it fills up. */
function relay({ config, media }: CheckSources): HealthCheck {
  const { available, detail, calls, instances, ports } = media.status()
  const lost = instances.some((instance) => !instance.available)
  const full = ports !== undefined && ports.used + ports.cooling > ports.total * PORTS_WARNING
  const facts = [detail, `${calls} call${calls === 1 ? '' : 's'}`]
  if (ports) facts.push(`${ports.used} of ${ports.total} ports in use`)
  return {
    component: 'relay',
    id: config.media.relay,
    status: !available ? 'fail' : lost || full ? 'warn' : 'pass',
    output: facts.filter((fact) => fact !== '').join(', '),
    ready: available,
  }
}

/** Named only when it fails: calls go on, and nothing is remembered of what happens meanwhile. */
function records({ records }: CheckSources): HealthCheck[] {
  if (!records) return []
  const output = `${records.message}; ${records.fix}`
  return [{ component: 'records', id: 'settings', status: 'warn', output, ready: true }]
}

/** The certificate of a listener; nothing where it has none. */
export function certificateCheck(listener: ListenerInfo, now: number): HealthCheck[] {
  const { certificate } = listener
  if (!certificate) return []
  const left = certificate.notAfter - now
  const started = certificate.notBefore <= now
  const days = Math.floor(left / DAY)
  const valid = left > 0 && started
  const output = valid
    ? `valid until ${new Date(certificate.notAfter).toISOString()}`
    : started
      ? `expired on ${new Date(certificate.notAfter).toISOString()}; renew the file, it is read again by itself`
      : `not valid before ${new Date(certificate.notBefore).toISOString()}`
  return [
    {
      component: 'certificate',
      id: `${listener.transport}://${listener.host}:${listener.port}`,
      status: !valid ? 'fail' : days < CERTIFICATE_WARNING ? 'warn' : 'pass',
      output,
      ready: valid,
      observedValue: days,
      observedUnit: 'days',
    },
  ]
}

/** One number that fails does not stop the others: it never makes the process unready. */
function numberCheck(name: string, sources: CheckSources): HealthCheck {
  const { config, settings, credentials } = sources
  const base = { component: 'number', id: name, ready: true }
  const rotation = rotationCheck(sources.rotation?.(name))
  if (rotation) return { ...base, ...rotation }
  const number = config.numbers.find((one) => one.name === name)
  const state = settings(name)
  if (!credentials(name) && config.whatsapp.challenge && state?.status !== 'failed') {
    return { ...base, status: 'warn', output: 'the SIP password is not known yet' }
  }
  if (number?.manage === 'off' || !state) {
    return { ...base, status: 'pass', output: 'not managed; credentials known' }
  }
  if (state.status === 'failed') {
    const error = state.error
    const output = error ? `${error.message}; ${error.fix}` : 'settings failed'
    return { ...base, status: 'fail', output }
  }
  if (state.status === 'pending') return { ...base, status: 'warn', output: 'settings pending' }
  if (state.error?.code === 'SETTINGS_FIGHT') {
    return { ...base, status: 'warn', output: `${state.error.message}; ${state.error.fix}` }
  }
  if (state.status === 'drift') {
    const paths = state.drift.map((difference) => difference.path).join(', ')
    return { ...base, status: 'warn', output: `settings differ: ${paths}` }
  }
  const warning = state.warnings[0]
  if (warning) return { ...base, status: 'warn', output: `${warning.message}; ${warning.fix}` }
  return { ...base, status: 'pass', output: 'settings as configured' }
}

/** A number is off while its password is exchanged; one that stays off is broken. */
function rotationCheck(
  rotation: RotationView | undefined,
): Pick<HealthCheck, 'status' | 'output'> | undefined {
  if (!rotation || rotation.state === 'done') return undefined
  const { error, state, steps } = rotation
  const coded = isCausewayError(error) ? error : undefined
  const step = steps.at(-1)?.step ?? 'drain'
  if (state === 'running') {
    const trouble = coded ? `; ${coded.message}, trying again` : ''
    return { status: 'warn', output: `its SIP password is being rotated: ${step}${trouble}` }
  }
  // Before it was switched off nothing was changed.
  if (step === 'drain' || !coded) return undefined
  const status = coded.code === 'SETTINGS_ROTATION_UNCHANGED' ? 'warn' : 'fail'
  return { status, output: `rotation failed at ${step}: ${coded.message}; ${coded.fix}` }
}

/** A trunk fails when calls to it reach nobody, and warns when one of its targets is out. */
function trunkCheck(name: string, { bridge, now }: CheckSources): HealthCheck {
  const targets = bridge.targets.filter((target) => target.trunk === name)
  const lost = targets.filter((target) => !target.reachable)
  const all = targets.length > 0 && lost.length === targets.length
  const said = lost.map((target) => `${target.uri} ${targetDetail(target, now)}`).join('; ')
  const up = targets.some((target) => target.pinged)
    ? 'every target answers'
    : targets.every(({ state }) => state === 'unknown')
      ? 'not used yet'
      : 'reachable when last used'
  return {
    component: 'trunk',
    id: name,
    status: all ? 'fail' : lost.length > 0 ? 'warn' : 'pass',
    output: lost.length > 0 ? said : up,
    ready: true,
  }
}
