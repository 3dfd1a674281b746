/** One way calls fail in the field, and who names it. */
export interface Pitfall {
  symptom: string
  cause: string
  /** Checks that name it; empty when Causeway rules it out. */
  checks: readonly string[]
  /** What the checks see, or why it cannot occur. */
  answer: string
}

/** The thirty failures known from the field, with the check that names each, or what rules it out. */
export const pitfalls: readonly Pitfall[] = [
  {
    symptom: 'call drops at once, no INVITE arrives',
    cause: 'certificate, closed port, missing permission of the app, SIP disabled',
    checks: ['certificate', 'dns', 'listener', 'token', 'calling'],
    answer: 'each cause by its own check',
  },
  {
    symptom: 'TLS alert 120 on the way out',
    cause: 'ALPN `sip` is offered',
    checks: ['whatsapp-tls'],
    answer: 'Causeway offers none; alert 120 then means that something between adds it',
  },
  {
    symptom: '403 "SIP server … does not match"',
    cause: 'From has another host than the stored server',
    checks: ['sip-server'],
    answer: 'the stored names against `sip.domain`',
  },
  {
    symptom: '403 no approved call permission',
    cause: 'the consumer has granted none, or is not on WhatsApp',
    checks: [],
    answer:
      'a matter of each consumer, not of the installation: the call ends with CALL_WHATSAPP_NO_PERMISSION and is not repeated',
  },
  {
    symptom: '400 asset not found, sporadic 500 on the way out',
    cause: 'plus missing, or an extension in From',
    checks: [],
    answer:
      'Causeway writes From itself, from `phone_number`, which must be E.164; a number it cannot dial is refused before WhatsApp sees it',
  },
  {
    symptom: '404 on the way out',
    cause: 'address or `sips:` in the Request-URI',
    checks: [],
    answer: 'Causeway writes the Request-URI itself: `sip:+…@sip_domain;transport=tls`',
  },
  {
    symptom: 'endless 407',
    cause: 'wrong password or app, user name with plus, realm, algorithm',
    checks: ['credentials'],
    answer: 'a digest by the code that answers calls; a call gives up after one new password',
  },
  {
    symptom: 'Asterisk rejects `auth_type=digest`',
    cause: 'older Asterisk',
    checks: [],
    answer: 'the PBX needs no WhatsApp credentials: its leg is an ordinary trunk',
  },
  {
    symptom: 'inbound 401 loop',
    cause: 'WhatsApp’s INVITE matched to a phone, or no credentials',
    checks: ['credentials'],
    answer: 'only the WhatsApp listener takes WhatsApp’s INVITEs; a missing password is named',
  },
  {
    symptom: 'digest of WhatsApp’s INVITE fails though the password is right',
    cause: 'digest `uri` compared with the Request-URI',
    checks: [],
    answer: 'Causeway computes with the `uri` of the header',
  },
  {
    symptom: 'talk works and dies after 32 s',
    cause: 'Record-Route or Contact rewritten',
    checks: ['listener'],
    answer:
      'Causeway leaves both intact; what remains is a listener that is not reached by its name',
  },
  {
    symptom: 'hold, transfer or connected line kills the call',
    cause: 're-INVITE to WhatsApp',
    checks: [],
    answer: 'no re-INVITE, REFER, UPDATE or session timer of the PBX reaches WhatsApp',
  },
  {
    symptom: '488 from the PBX on inbound calls',
    cause: 'no ICE or DTLS',
    checks: ['key-exchange', 'trunk-srtp'],
    answer: 'the relay ends DTLS and ICE itself; without a relay both checks name the misfit',
  },
  {
    symptom: 'no audio, STUN 487',
    cause: 'both sides controlled or DTLS passive',
    checks: [],
    answer: 'the relay is controlling towards WhatsApp and takes the DTLS part that fits',
  },
  {
    symptom: 'DTLS never starts after a role switch',
    cause: 'fault of FreeSWITCH',
    checks: [],
    answer: 'the PBX never speaks DTLS with WhatsApp; `key-exchange` shows what the number has',
  },
  {
    symptom: 'SDP rejected for `ice-pwd`',
    cause: '`=` outside the characters of ICE',
    checks: [],
    answer: 'Causeway’s parser accepts it',
  },
  {
    symptom: 'drop after 20 s, one-way audio',
    cause: 'UDP blocked, private address in SDP, nobody sends first',
    checks: ['media-address', 'udp', 'media-ports'],
    answer: 'address and ports; Causeway sends the first packet at once',
  },
  {
    symptom: 'drop after 30 s of silence',
    cause: 'no RTP in pauses or queues',
    checks: ['relay'],
    answer: 'a relay that works is enough: the embedded one fills every pause',
  },
  {
    symptom: 'first second of the prompt lost',
    cause: 'media path not ready with DTLS',
    checks: ['key-exchange'],
    answer: 'shows which protocol the number has; SDES is ready at once',
  },
  {
    symptom: 'the consumer’s timer starts while agents still ring',
    cause: 'early RTP or an early answer',
    checks: [],
    answer:
      'no packet leaves before the PBX answers, unless `inbound.early_media` or `announcement` asks for it',
  },
  {
    symptom: 'robotic audio',
    cause: 'packets other than 20 ms, a changing SSRC, G.711 converted',
    checks: ['codecs'],
    answer: 'Causeway keeps 20 ms and one SSRC; the check says where audio is converted',
  },
  {
    symptom: 'keypresses not heard',
    cause: 'events at 48000 Hz, payload type mismatch',
    checks: [],
    answer: 'events are 8000 Hz, and renumbered for each leg',
  },
  {
    symptom: 'back on DTLS after editing SIP settings',
    cause: 'a write without the key exchange',
    checks: ['key-exchange'],
    answer: 'configured against stored; Causeway’s own writes carry it along',
  },
  {
    symptom: 'two servers listed, calls cut',
    cause: 'two apps stored servers',
    checks: ['sip-server'],
    answer: 'names the other app',
  },
  {
    symptom: 'the consumer does not see the hang-up',
    cause: 'TLS to WhatsApp fails for our BYE',
    checks: ['whatsapp-tls'],
    answer: 'a TLS connection as the BYE makes it',
  },
  {
    symptom: 'trunk flaps "unreachable"',
    cause: 'OPTIONS to WhatsApp unanswered',
    checks: ['credentials'],
    answer: 'Causeway never takes silence to OPTIONS for an outage, and neither does the check',
  },
  {
    symptom: 'webhooks stopped after enabling SIP',
    cause: 'the default of `webhook_delivery`',
    checks: ['webhooks'],
    answer: 'says so when webhooks are configured',
  },
  {
    symptom: 'calling cannot be enabled',
    cause: '138015, 138018',
    checks: ['messaging-limit', 'calling'],
    answer: 'the limit; the order of steps is Causeway’s own',
  },
  {
    symptom: 'call button hidden or calling paused',
    cause: 'low pickup or complaints',
    checks: ['restrictions', 'call-button'],
    answer: 'restrictions with their end, quality, visibility',
  },
  {
    symptom: 'spoofed INVITEs taken for WhatsApp’s',
    cause: 'matching on a header only',
    checks: ['config'],
    answer: 'source list and digest; CONFIG_UNGUARDED when both are off',
  },
]
