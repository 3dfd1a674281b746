import { isIP } from 'node:net'
import type { SipTransport } from '../../config/types.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import type { PbxFile, PbxOptions, TrunkFacts } from '../types.ts'
import { comment, file, type Setting, section } from './text.ts'

interface Bound {
  transport: SipTransport
  host: string
  port: number
}

/** Where Asterisk listens for a trunk: at the address Causeway calls it, when that is one. */
function boundFor({ transport, pbx }: TrunkFacts): Bound {
  const host = pbx && isIP(pbx.host) !== 0 ? pbx.host : '0.0.0.0'
  return { transport, host, port: pbx?.port ?? (transport === 'tls' ? 5061 : 5060) }
}

/**
 * Name of the transport of a trunk. The first of each kind has the plain name; a trunk whose address
 * is not known (Asterisk registers) takes it, another address gets a name of its own.
 */
export function transportName(trunks: readonly TrunkFacts[], facts: TrunkFacts): string {
  const known = transportsOf(trunks).filter(({ transport }) => transport === facts.transport)
  const own = boundFor(facts)
  const index = facts.pbx
    ? known.findIndex(({ host, port }) => host === own.host && port === own.port)
    : 0
  return `causeway-${facts.transport}${index > 0 ? `-${index + 1}` : ''}`
}

/** One for each address Asterisk is called at; for a kind without any, every address. */
function transportsOf(trunks: readonly TrunkFacts[]): Bound[] {
  const all: Bound[] = []
  for (const facts of [...trunks].sort((a, b) => Number(!a.pbx) - Number(!b.pbx))) {
    const bound = boundFor(facts)
    const same = all.some(
      ({ transport, host, port }) =>
        transport === bound.transport &&
        (!facts.pbx || (host === bound.host && port === bound.port)),
    )
    if (!same) all.push(bound)
  }
  return all
}

/** `causeway-transports.conf`: what Asterisk listens on. */
export function transportsFile(trunks: readonly TrunkFacts[], options: PbxOptions): PbxFile {
  const seen = new Map<string, number>()
  const sections = transportsOf(trunks).map(({ transport, host, port }) => {
    const count = (seen.get(transport) ?? 0) + 1
    seen.set(transport, count)
    const settings: Setting[] = [
      ['type', 'transport'],
      ['protocol', transport],
      [
        'bind',
        `${formatHostPort(host, port)}`,
        'what targets of the trunk name; 0.0.0.0 is every address',
      ],
    ]
    if (transport === 'tls') settings.push(...tls(options))
    const name = `causeway-${transport}${count > 1 ? `-${count}` : ''}`
    return `${section(name, settings)}\n${NAT}`
  })
  return {
    name: 'causeway-transports.conf',
    about: 'what Asterisk listens on; leave it out where it has transports already',
    contents: file(HEAD, ...sections),
  }
}

const HEAD = comment(
  'Transports for the trunk to Causeway.',
  '',
  'Asterisk listens on each address and port once. Where pjsip.conf has a transport of this kind already, do not',
  'include this file; generate the trunk with  --transport NAME  for that one.',
  'A change of a transport takes a restart of Asterisk, not a reload.',
)

const NAT = comment(
  'Behind NAT towards Causeway:',
  'external_signaling_address = 203.0.113.20',
  'external_media_address = 203.0.113.20',
  'local_net = 10.0.0.0/8',
)

function tls({ cert, key, ca }: PbxOptions): Setting[] {
  return [
    ['method', 'tlsv1_2', 'unset is TLS 1.0 alone, which Causeway refuses; tlsv1_3 is 1.3 alone'],
    ['cert_file', cert, 'with its chain; it names the host in targets of the trunk'],
    ['priv_key_file', key, 'readable for the user Asterisk runs as'],
    ['ca_list_file', ca, "the authority of Causeway's certificate"],
    ['verify_server', 'yes', "Causeway's certificate has to name the host in the contact"],
  ]
}
