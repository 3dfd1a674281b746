import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { defaultPort, isWildcard } from '../config/addresses.ts'
import type { Config, ListenAddress, SipTransport, TrunkConfig } from '../config/types.ts'
import { chainOf } from '../routing/index.ts'
import { formatHostPort } from '../shared/host-port.ts'
import type { Account, NumberFacts, PbxOptions, Place, TrunkFacts, TrunkMode } from './types.ts'

/** Lifetime asked for where the file names none, seconds. */
const EXPIRES = 300

/**
 * What the PBX has to know about a trunk, out of the configuration of Causeway.
 */
export function factsOf(
  config: Config,
  trunk: TrunkConfig,
  { host, over }: Pick<PbxOptions, 'host' | 'over'>,
): TrunkFacts {
  const { sip, media } = config
  const mode = modeOf(trunk)
  const pbx = pbxOf(trunk)
  const listener = listenerFor(sip.listen.pbx, pbx ?? { transport: over ?? usual(config, trunk) })
  const transport = pbx?.transport ?? over ?? listener?.transport ?? 'udp'
  const bound = listener && !isWildcard(listener.host) ? listener.host : undefined
  const place = host ?? reachedAt(config, transport, bound)
  const known = host === undefined ? [bound, sip.externalAddress] : [host]
  const sources = new Set([...known.filter((source) => source !== undefined)])
  return {
    name: trunk.name,
    mode,
    transport,
    causeway: { host: place, port: listener?.port || defaultPort(transport) },
    guessed: host === undefined && bound === undefined,
    shared: sharesPbx(config, trunk, pbx),
    sources: sources.size > 0 ? [...sources] : [place],
    pbx: pbx && { host: pbx.host, port: pbx.port },
    domain: sip.domain,
    ours: registered(trunk) ?? trunk.credentials,
    theirs: accountOf(trunk),
    registers: trunk.register?.username,
    expires: Math.round((trunk.register?.expires ?? EXPIRES * 1000) / 1000),
    srtp: trunk.media.srtp,
    codecs: trunk.media.codecs,
    dtmf: trunk.media.dtmf,
    numbers: numbersOf(config, trunk),
    caller: config.numbers.find(({ name }) => name === trunk.outbound.number)?.phoneNumber,
    callers: callersOf(config, trunk),
    ports: media.relay === 'embedded' ? `${media.ports.min}-${media.ports.max}` : undefined,
  }
}

/** Whether another trunk has the same PBX. */
function sharesPbx(config: Config, trunk: TrunkConfig, pbx: Place | undefined): boolean {
  return config.trunks.some((other) => other !== trunk && pbx && pbxOf(other)?.host === pbx.host)
}

function modeOf(trunk: TrunkConfig): TrunkMode {
  if (trunk.register) return 'causeway-registers'
  return trunk.accept.registrations ? 'pbx-registers' : 'address'
}

/** Where Causeway calls the PBX, or registers: the first of several. */
function pbxOf(trunk: TrunkConfig): (Place & { transport: SipTransport }) | undefined {
  const uri = trunk.register?.registrars[0] ?? trunk.targets[0]
  return (
    uri && {
      host: uri.host,
      port: uri.port ?? defaultPort(uri.transport),
      transport: uri.transport,
    }
  )
}

/** The listener the PBX uses: of the transport of the trunk, the nearest to it as Causeway chooses; else the first. */
function listenerFor(
  listeners: readonly ListenAddress[],
  pbx: Partial<Place> & { transport: SipTransport | undefined },
): ListenAddress | undefined {
  const same = listeners.filter(({ transport }) => transport === pbx.transport)
  const { host } = pbx
  if (host === undefined || same.length < 2) return same[0] ?? listeners[0]
  return same.reduce((best, one) =>
    sharedBits(one.host, host) > sharedBits(best.host, host) ? one : best,
  )
}

/** Keys of SDES stand in the SDP: who registers for it had better do so over TLS. */
function usual({ sip }: Config, { media }: TrunkConfig): SipTransport | undefined {
  const tls = sip.listen.pbx.some(({ transport }) => transport === 'tls')
  return media.srtp === 'sdes' && tls ? 'tls' : undefined
}

/** Leading bits two addresses have in common; 0 for a name. */
function sharedBits(a: string, b: string): number {
  if (isIP(a) === 0 || isIP(a) !== isIP(b)) return 0
  const [left, right] = [ipaddr.parse(a).toByteArray(), ipaddr.parse(b).toByteArray()]
  const differs = left.findIndex((byte, index) => byte !== right[index])
  if (differs < 0) return left.length * 8
  return differs * 8 + Math.clz32(left[differs]! ^ right[differs]!) - 24
}

/** TLS is verified by name: the one the certificate is for. */
function reachedAt(config: Config, transport: SipTransport, bound: string | undefined): string {
  if (transport === 'tls') return config.sip.domain
  return bound ?? config.sip.externalAddress ?? config.sip.domain
}

/** The account Causeway registers with. */
function registered({ register }: TrunkConfig): Account | undefined {
  return register && { username: register.authUsername, password: register.password }
}

function accountOf({ accept }: TrunkConfig): Account | undefined {
  const { username, password } = accept
  return username !== undefined && password ? { username, password } : undefined
}

function numbersOf(config: Config, trunk: TrunkConfig): NumberFacts[] {
  return config.numbers.flatMap(({ name, phoneNumber, inbound }) => {
    const ways = inbound ? [inbound, ...inbound.routes.map((route) => route.inbound)] : []
    const step = ways.flatMap(chainOf).find((one) => one.trunk === trunk.name)
    if (!step) return []
    const user = step.to
      .replaceAll('{business}', phoneNumber)
      .replaceAll('{business:digits}', phoneNumber.slice(1))
    const ringSeconds = Math.round(step.ringTimeout / 1000)
    return [{ name, phoneNumber, user: user.includes('{') ? undefined : user, ringSeconds }]
  })
}

/** Every business number, those of the trunk first. */
function callersOf(config: Config, trunk: TrunkConfig): string[] {
  const own = numbersOf(config, trunk).map(({ phoneNumber }) => phoneNumber)
  return [...new Set([...own, ...config.numbers.map(({ phoneNumber }) => phoneNumber)])]
}

/** `sip:10.0.0.5:5060;transport=tcp`; UDP needs no parameter. */
export function uriOf({ host, port }: Place, transport: SipTransport, user?: string): string {
  const place = `${user === undefined ? '' : `${user}@`}${formatHostPort(host, port)}`
  return `sip:${place}${transport === 'udp' ? '' : `;transport=${transport}`}`
}
