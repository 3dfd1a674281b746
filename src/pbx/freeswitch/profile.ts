import type { PbxFile, TrunkFacts } from '../types.ts'
import { codecString } from './codecs.ts'
import type { Names } from './names.ts'
import { comment, file, param } from './xml.ts'

const IN = '  '

/** What the profile of Sofia needs for the trunk, to be included in its settings. */
export function profileFile(facts: TrunkFacts, names: Names): PbxFile {
  const codecs = codecString(facts.codecs)
  const params = [
    param(
      IN,
      'inbound-late-negotiation',
      'true',
      'The dialplan decides on SRTP before codecs are chosen',
    ),
    param(IN, 'inbound-codec-prefs', codecs, 'WhatsApp demands 20 ms, and Opus passes through'),
    param(IN, 'outbound-codec-prefs', codecs),
    param(IN, 'inbound-codec-negotiation', 'greedy'),
    param(IN, 'enable-timer', 'true', 'Session timers: no call survives a lost BYE'),
    param(IN, 'session-timeout', '1800'),
    param(IN, 'minimum-session-expires', '120'),
    param(IN, 'enable-100rel', 'false', 'Either works: Causeway takes PRACK'),
    param(IN, 'rtp-timeout-sec', '300', 'Seconds without a packet that end a call'),
    param(IN, 'rtp-hold-timeout-sec', '1800'),
    ...(facts.transport === 'tls' ? tls() : []),
  ]
  return {
    name: `causeway/profile-${facts.name}.xml`,
    about: `what profile ${names.profile} needs; include it in its settings`,
    contents: file(
      [
        `Trunk ${facts.name} between Causeway and FreeSWITCH: what profile ${names.profile} needs. Compare it with what stands in`,
        `sip_profiles/${names.profile}.xml, or include it at the end of its settings, where the last word counts.`,
        `After a change: sofia profile ${names.profile} restart (which ends its calls)`,
      ],
      params.join('\n'),
      comment(IN, ...port(facts, names)),
      comment(
        IN,
        'Behind NAT towards Causeway: ext-sip-ip and ext-rtp-ip. Media from another address than the SDP names is dropped.',
        ...(facts.ports
          ? [
              `Media of Causeway: UDP ${facts.ports}; here: rtp-start-port and rtp-end-port of switch.conf.xml.`,
            ]
          : []),
      ),
    ),
  }
}

function tls(): string[] {
  return [
    param(IN, 'tls', 'true'),
    param(IN, 'tls-version', 'tlsv1.2'),
    param(
      IN,
      'tls-cert-dir',
      '$${certs_dir}',
      'agent.pem: certificate with chain and key, for the host targets name; cafile.pem: the authority of Causeway',
    ),
    param(IN, 'tls-verify-policy', 'out', "Causeway's certificate has to be good"),
  ]
}

/** Where Causeway calls the profile. */
function port({ pbx, transport }: TrunkFacts, { profile }: Names): string[] {
  if (!pbx)
    return ['Causeway calls the address FreeSWITCH registers from, whatever port this profile has.']
  const name = transport === 'tls' ? 'tls-sip-port' : 'sip-port'
  const stock = { external: { tls: 5081, other: 5080 }, internal: { tls: 5061, other: 5060 } }
  const usual = stock[profile][transport === 'tls' ? 'tls' : 'other']
  return [
    `Causeway calls ${pbx.host}, port ${pbx.port}: ${name} of this profile has to be that port; the stock one is ${usual}.`,
  ]
}
