import { stringify } from 'yaml'
import { formatHostPort } from '../shared/host-port.ts'
import type { Secret } from '../shared/secret.ts'
import { META_PREFIXES } from './meta-prefixes.ts'
import { inboundView, outboundView, presentationView } from './redacted-routing.ts'
import { target, targetKeys } from './redacted-targets.ts'
import type {
  Config,
  EventTarget,
  ListenAddress,
  MediaConfig,
  NumberConfig,
  RecordsConfig,
  RegisterConfig,
  SipConfig,
  TelemetryConfig,
  TraceConfig,
  TrunkConfig,
} from './types.ts'
import { formatDuration, formatRetention, formatSize } from './units.ts'

/**
 * A configuration in the file's own keys and notations, defaults filled in, secrets as `[redacted]`,
 * absent keys left out. Safe to print and to serve.
 */
export function redactedConfig(config: Config): Record<string, unknown> {
  const { sip, media, whatsapp, limits, http, events, records, log } = config
  const { webhooks } = whatsapp
  return present({
    sip: present({
      domain: sip.domain,
      external_address: sip.externalAddress,
      listen: {
        whatsapp: listener(sip.listen.whatsapp),
        pbx: sip.listen.pbx.map(listener),
      },
      tls: sip.tls,
      server: server(sip.server),
    }),
    media: relay(media),
    whatsapp: present({
      provider: whatsapp.provider,
      graph_url: whatsapp.graphUrl,
      graph_version: whatsapp.graphVersion,
      sip_domain: whatsapp.sipDomain,
      sip_proxy: whatsapp.sipProxy,
      ca: whatsapp.ca,
      sources: sources(whatsapp.sources),
      challenge: whatsapp.challenge,
      check_interval: formatDuration(whatsapp.checkInterval),
      credentials_interval: formatDuration(whatsapp.credentialsInterval),
      webhooks:
        webhooks &&
        present({
          path: webhooks.path,
          verify_token: secret(webhooks.verifyToken),
          app_secret: secret(webhooks.appSecret),
        }),
    }),
    numbers: config.numbers.map(number),
    trunks: config.trunks.map(trunk),
    limits: {
      calls: limits.calls,
      calls_per_number: limits.callsPerNumber,
      invites_per_second: limits.invitesPerSecond,
    },
    http: present({
      listen: formatHostPort(http.listen.host, http.listen.port),
      token: secret(http.token),
    }),
    events: { webhooks: events.webhooks.map(eventTarget) },
    records: callHistory(records),
    log: { level: log.level, numbers: log.numbers },
    trace: trace(config.trace),
    telemetry: config.telemetry && telemetry(config.telemetry),
  })
}

/** {@link redactedConfig} as YAML. */
export function formatConfig(config: Config): string {
  return stringify(redactedConfig(config), { lineWidth: 0 })
}

function number(number: NumberConfig): Record<string, unknown> {
  const { inbound } = number
  return present({
    name: number.name,
    phone_number: number.phoneNumber,
    phone_number_id: number.phoneNumberId,
    access_token: secret(number.accessToken),
    manage: number.manage,
    sip_password: secret(number.sipPassword),
    calling: number.calling,
    inbound: inbound && inboundView(inbound),
    limits: number.limits,
  })
}

/** The keys the chosen relay looks at. */
function relay(media: MediaConfig): Record<string, unknown> {
  const { relay, rtpengine, holdMusic } = media
  if (relay === 'none') return { relay }
  if (relay === 'rtpengine') return present({ relay, rtpengine, hold_music: holdMusic })
  return present({
    relay,
    listen: media.listen,
    external_address: media.externalAddress,
    ports: `${media.ports.min}-${media.ports.max}`,
    workers: media.workers,
    sockets: media.sockets,
    transcoding: media.transcoding,
    hold_music: holdMusic,
  })
}

function trunk(trunk: TrunkConfig): Record<string, unknown> {
  const { register, credentials, accept, outbound } = trunk
  return present({
    name: trunk.name,
    targets: trunk.targets.map(target),
    register: register && registration(register),
    credentials: credentials && {
      username: credentials.username,
      password: secret(credentials.password),
    },
    accept: present({
      from: accept.from,
      username: accept.username,
      password: secret(accept.password),
      registrations: accept.registrations,
    }),
    media: trunk.media,
    ...targetKeys(trunk),
    outbound: outboundView(outbound),
    presentation: presentationView(trunk.presentation),
    permissions: permissions(trunk.permissions),
  })
}

/** What differs from the user name is named. */
function registration(register: RegisterConfig): Record<string, unknown> {
  const { registrars, username, authUsername, contact } = register
  const uris = registrars.map(({ uri }) => uri)
  return present({
    registrar: uris.length === 1 ? uris[0] : uris,
    username,
    auth_username: authUsername === username ? undefined : authUsername,
    password: secret(register.password),
    expires: formatDuration(register.expires),
    contact: contact === username ? undefined : contact,
  })
}

/** The plain word where there is nothing to add to it. */
function permissions({ mode, template, text }: TrunkConfig['permissions']): unknown {
  if (!template && text === undefined) return mode
  return present({ mode, template: template?.name, language: template?.language, text })
}

function trace({ hep, memory, ...rest }: TraceConfig): Record<string, unknown> {
  const { host, port } = hep?.target ?? { host: '', port: 0 }
  return present({
    ...rest,
    memory: formatSize(memory),
    hep: hep && {
      target: `udp://${formatHostPort(host, port)}`,
      ...present({ id: hep.id, password: secret(hep.password) }),
    },
  })
}

function telemetry(telemetry: TelemetryConfig): Record<string, unknown> {
  const { endpoint, token, header, serviceName, sample, numbers } = telemetry
  return present({
    endpoint,
    token: secret(token),
    header,
    service_name: serviceName,
    sample,
    numbers,
  })
}

/** A query of the URL may hold a key of the target's own. */
function eventTarget({ url, secret: key, events }: EventTarget): Record<string, unknown> {
  return present({ url: url.replace(/\?.*$/, '?[redacted]'), secret: secret(key), events })
}

function callHistory({ path, secret: key, calls }: RecordsConfig): Record<string, unknown> {
  return present({
    path,
    secret: secret(key),
    history: calls !== undefined,
    ...(calls && {
      keep: calls.keep === 0 ? 0 : formatRetention(calls.keep),
      max_size: calls.maxSize === 0 ? 0 : formatSize(calls.maxSize),
      max_calls: calls.maxCalls,
      push: calls.push && eventTarget({ ...calls.push, events: undefined }),
    }),
  })
}

function server(server: SipConfig['server']): string {
  if (server.kind === 'embedded') return 'embedded'
  return `drachtio://:${server.secret}@${formatHostPort(server.host, server.port)}`
}

function listener({ transport, host, port }: ListenAddress): string {
  return `${transport}://${formatHostPort(host, port)}`
}

/** The shipped list goes by its name again. */
function sources(sources: string[] | 'any'): string[] | string {
  if (sources === 'any') return sources
  return sources.join() === META_PREFIXES.join() ? 'meta' : sources
}

function secret(secret: Secret | undefined): string | undefined {
  return secret?.toString()
}

function present(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
