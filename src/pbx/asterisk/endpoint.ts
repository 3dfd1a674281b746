import type { PbxOptions, TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { comment, type Setting, section } from './text.ts'

const CODECS: Readonly<Record<string, string>> = {
  opus: 'opus',
  PCMA: 'alaw',
  PCMU: 'ulaw',
  G722: 'g722',
}

/** The endpoint: what a call over the trunk is like. */
export function endpoint(facts: TrunkFacts, names: Names, transport: string): string {
  return section(names.endpoint, [
    ['type', 'endpoint'],
    ['transport', transport],
    ['context', names.from, 'calls from WhatsApp enter the dialplan here'],
    ['aors', names.aor],
    ...credentials(facts, names),
    ...identification(facts),
    ['disallow', 'all'],
    ['allow', facts.codecs.map((codec) => CODECS[codec] ?? codec).join(','), codecsWhy(facts)],
    ...encryption(facts),
    ['dtmf_mode', facts.dtmf === 'info' ? 'info' : 'rfc4733', 'media.dtmf of the trunk'],
    [
      'direct_media',
      'no',
      'media stays with Asterisk; yes only if phones reach the ports of Causeway',
    ],
    ['rtp_symmetric', 'yes', 'answer media where it comes from: NAT between both'],
    ['force_rport', 'yes', 'answer SIP where it comes from'],
    ['rewrite_contact', 'yes', 'follow requests back where they came from, whatever Contact says'],
    ['trust_id_inbound', 'yes', 'take the caller from P-Asserted-Identity'],
    ['send_pai', 'yes', 'tell Causeway which of its numbers calls'],
    ['trust_id_outbound', 'yes', '… also when a phone withholds its own number'],
    ['allow_overlap', 'no', 'an unknown number is 404, not "more digits" (484)'],
    ['timers', 'yes', 'session timers: no call survives a lost BYE'],
    ['timers_sess_expires', '1800'],
    ['t38_udptl', 'no', 'WhatsApp carries voice only'],
    ['fax_detect', 'no'],
  ])
}

function credentials(facts: TrunkFacts, names: Names): Setting[] {
  const settings: Setting[] = []
  if (facts.ours) settings.push(['auth', names.authIn, 'Asterisk asks Causeway for this'])
  if (facts.theirs)
    settings.push(['outbound_auth', names.authOut, 'Causeway asks Asterisk for this'])
  return settings
}

function identification({ mode }: TrunkFacts): Setting[] {
  if (mode === 'pbx-registers') {
    return [['identify_by', 'ip', 'and by the line of the section registration below']]
  }
  if (mode === 'causeway-registers') {
    return [
      ['identify_by', 'ip,username,auth_username', 'by address, else by the account of Causeway'],
    ]
  }
  return [['identify_by', 'ip', 'calls are recognised by the section identify below']]
}

function codecsWhy({ codecs }: TrunkFacts): string {
  return codecs.includes('opus')
    ? 'media.codecs of the trunk; opus needs a codec_opus unless your phones speak it'
    : 'media.codecs of the trunk'
}

function encryption({ srtp }: TrunkFacts): Setting[] {
  if (srtp === 'sdes') {
    return [
      ['media_encryption', 'sdes', 'SRTP; the keys stand in the SDP, so let SIP go by TLS'],
      ['media_encryption_optimistic', 'no', 'no call without it'],
    ]
  }
  if (srtp === 'dtls') {
    return [
      ['webrtc', 'yes', 'DTLS-SRTP with ICE and rtcp-mux; rtp.conf needs icesupport = yes'],
      ['dtls_auto_generate_cert', 'yes', 'fingerprints are what is compared, not names'],
    ]
  }
  return [['media_encryption', 'no', 'plain RTP: on a network of your own']]
}

/** The accounts of both sides, where there are any. */
export function auths(facts: TrunkFacts, names: Names, options: PbxOptions): string | undefined {
  const parts: string[] = []
  if (facts.ours) {
    parts.push(
      section(names.authIn, [
        ['type', 'auth'],
        ['auth_type', 'userpass'],
        ['username', facts.ours.username],
        ['password', options.secret(facts.ours.password)],
      ]),
    )
  }
  if (facts.theirs) {
    parts.push(
      section(names.authOut, [
        ['type', 'auth'],
        ['auth_type', 'userpass'],
        ['username', facts.theirs.username],
        ['password', options.secret(facts.theirs.password)],
        ['realm', facts.domain, 'of every challenge of Causeway: sip.domain'],
      ]),
    )
  }
  if (parts.length === 0) return undefined
  return [comment('Accounts.'), parts.join('\n\n')].join('\n')
}
