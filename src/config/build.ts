import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { bracketed } from '../shared/host-port.ts'
import type { Secret } from '../shared/secret.ts'
import { buildInbound, buildPresentation } from './build-routing.ts'
import { META_PREFIXES } from './meta-prefixes.ts'
import type { FileValues } from './schema/index.ts'
import type {
  CallingConfig,
  Config,
  NumberConfig,
  OptionsConfig,
  PermissionsConfig,
  RecordsConfig,
  TelemetryConfig,
  TraceConfig,
  TrunkConfig,
  TrunkTlsConfig,
  WhatsAppConfig,
} from './types.ts'

const GRAPH_URLS = {
  meta: 'https://graph.facebook.com',
  '360dialog': 'https://waba-v2.360dialog.io',
} as const

/** The OPTIONS ping when the file says its interval alone. */
const PING = { timeout: 4000, downAfter: 2, upAfter: 1 }

/** The typed configuration of valid values: derived defaults filled in, paths absolute. */
export function buildConfig(values: FileValues, file: string): Config {
  const folder = resolve(file, '..')
  const { sip, media, limits, http } = values
  return {
    file,
    sip: {
      domain: sip.domain,
      externalAddress: sip.external_address,
      listen: sip.listen,
      tls: sip.tls && {
        cert: resolve(folder, sip.tls.cert),
        key: resolve(folder, sip.tls.key),
      },
      server: sip.server,
    },
    media: {
      relay: media.relay,
      rtpengine: media.rtpengine,
      listen: media.listen ?? (sip.listen.pbx[0] ?? sip.listen.whatsapp).host,
      // One machine, one NAT.
      externalAddress:
        media.external_address ?? (media.relay === 'embedded' ? sip.external_address : undefined),
      ports: media.ports,
      workers: media.workers,
      sockets: media.sockets,
      transcoding: media.transcoding,
      holdMusic: media.hold_music && resolve(folder, media.hold_music),
    },
    whatsapp: buildWhatsApp(values.whatsapp, folder),
    numbers: values.numbers.map((number) => buildNumber(number, sip.listen.whatsapp.port, folder)),
    trunks: values.trunks.map((trunk) => buildTrunk(trunk, folder)),
    limits: {
      calls: limits.calls,
      callsPerNumber: limits.calls_per_number,
      invitesPerSecond: limits.invites_per_second,
    },
    http: { listen: http.listen, token: http.token },
    events: {
      webhooks: values.events.webhooks.map(({ url, secret, events }) => ({
        url,
        secret: secret as Secret,
        events,
      })),
    },
    records: buildRecords(values.records, folder),
    log: values.log,
    trace: buildTrace(values.trace),
    telemetry: buildTelemetry(values.telemetry),
  }
}

function buildRecords(values: FileValues['records'], folder: string): RecordsConfig {
  const { path, secret, history, keep, max_size: maxSize, max_calls: maxCalls, push } = values
  return {
    path: resolve(folder, path),
    secret,
    calls: history
      ? { keep, maxSize, maxCalls, push: push && { url: push.url, secret: push.secret as Secret } }
      : undefined,
  }
}

function buildTrace({ hep, ...rest }: FileValues['trace']): TraceConfig {
  return { ...rest, hep: hep && { target: hep.target, id: hep.id, password: hep.password } }
}

function buildTelemetry(values: FileValues['telemetry']): TelemetryConfig | undefined {
  if (!values) return undefined
  const { endpoint, token, header, service_name: serviceName, sample, numbers } = values
  return { endpoint, token, header, serviceName, sample, numbers }
}

function buildWhatsApp(values: FileValues['whatsapp'], folder: string): WhatsAppConfig {
  const { webhooks } = values
  return {
    provider: values.provider,
    graphUrl: values.graph_url ?? GRAPH_URLS[values.provider],
    graphVersion: values.graph_version,
    sipDomain: values.sip_domain,
    sipProxy: values.sip_proxy ?? `sip:${bracketed(values.sip_domain)}:5061;transport=tls`,
    ca: values.ca && resolve(folder, values.ca),
    sources: values.sources === 'meta' ? [...META_PREFIXES] : values.sources,
    challenge: values.challenge,
    checkInterval: values.check_interval,
    credentialsInterval: values.credentials_interval,
    webhooks: webhooks && {
      path: webhooks.path,
      verifyToken: webhooks.verify_token,
      appSecret: webhooks.app_secret,
    },
  }
}

function buildNumber(
  values: FileValues['numbers'][number],
  port: number,
  folder: string,
): NumberConfig {
  const { inbound } = values
  const token = values.access_token
  return {
    name: values.name,
    phoneNumber: values.phone_number,
    phoneNumberId: values.phone_number_id,
    accessToken: token,
    manage: token ? (values.manage ?? 'apply') : 'off',
    sipPassword: values.sip_password,
    calling: buildCalling(values.calling, port),
    inbound: inbound && buildInbound(inbound, folder),
    limits: values.limits,
  }
}

function buildCalling(values: FileValues['numbers'][number]['calling'], port: number) {
  const calling = { ...values } as CallingConfig
  if (values.sip) calling.sip = { ...values.sip, port: values.sip.port ?? port } as object
  return calling
}

function buildTrunk(values: FileValues['trunks'][number], folder: string): TrunkConfig {
  const { register, accept, outbound } = values
  const targets = targetsOf(values)
  return {
    name: values.name,
    targets,
    register: register && {
      registrars: register.registrar,
      username: register.username,
      authUsername: register.auth_username ?? register.username,
      password: register.password as Secret,
      expires: register.expires,
      contact: register.contact ?? register.username,
    },
    credentials: credentialsOf(values),
    accept: {
      from: accept.from ?? (accept.username ? [] : addressesOf(targets)),
      username: accept.username,
      password: accept.password,
      registrations: accept.registrations,
    },
    media: values.media,
    tls: buildTls(values.tls, folder),
    options: buildOptions(values.options),
    failover: values.failover,
    redirects: values.redirects,
    limits: values.limits,
    outbound: { ...outbound, number: outbound.number },
    presentation: buildPresentation(values.presentation),
    permissions: buildPermissions(values.permissions),
  }
}

function buildTls(
  values: FileValues['trunks'][number]['tls'],
  folder: string,
): TrunkTlsConfig | undefined {
  if (!values) return undefined
  const { cert, key, ca, server_name: serverName } = values
  return {
    certificate:
      cert === undefined || key === undefined
        ? undefined
        : { cert: resolve(folder, cert), key: resolve(folder, key) },
    ca: ca && resolve(folder, ca),
    serverName,
  }
}

function buildOptions(values: FileValues['trunks'][number]['options']): OptionsConfig {
  if (typeof values === 'number') return { ...PING, interval: values }
  const { interval, timeout, down_after: downAfter, up_after: upAfter } = values
  return { interval, timeout, downAfter, upAfter }
}

/** A PBX that Causeway registers with asks for the same account when it is called. */
function credentialsOf({ credentials, register }: FileValues['trunks'][number]) {
  if (credentials) {
    return { username: credentials.username, password: credentials.password as Secret }
  }
  if (!register) return undefined
  const username = register.auth_username ?? register.username
  return { username, password: register.password as Secret }
}

/** A registered trunk without targets calls its registrars, as a phone does. */
function targetsOf({ targets, register }: FileValues['trunks'][number]): TrunkConfig['targets'] {
  if (targets.length > 0 || !register) return targets
  return register.registrar.map((registrar) => ({ ...registrar, weight: 1, priority: 0 }))
}

function buildPermissions(values: FileValues['trunks'][number]['permissions']): PermissionsConfig {
  if (typeof values === 'string') return { mode: values, template: undefined, text: undefined }
  const { mode, template, language, text } = values
  return {
    mode,
    template: template === undefined ? undefined : { name: template, language: language ?? '' },
    text,
  }
}

/** The networks a trunk's calls come from when the file names none: its targets' own addresses. */
function addressesOf(targets: TrunkConfig['targets']): string[] {
  const hosts = new Set(targets.map(({ host }) => host).filter((host) => isIP(host) !== 0))
  return [...hosts].map((host) => `${host}/${isIP(host) === 4 ? 32 : 128}`)
}
