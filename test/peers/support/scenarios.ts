/** SIPp scenarios put together from steps: what differs between endings is written once. */

const VIA = (alias = '') =>
  `Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]${alias}`
const ECHO = ['[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]']
const EMPTY = ['Content-Length: 0']
const META = ['X-FB-External-Domain: wa.meta.vc']
const OUR_ROUTES = [
  'Record-Route: <sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
  'Record-Route: <sip:wa.meta.vc;transport=tls;lr>',
]
const PBX_CONTACT = 'Contact: <sip:pbx@[local_ip]:[local_port]>'
const CALLEE_CONTACT = 'Contact: <sip:callee@wa.meta.vc;transport=tls;ob>;isfocus'

/** WhatsApp's description by SDES; with PCMA where the number has it. */
const WHATSAPP_SDP = [
  'v=0',
  'o=- 1789000000123 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 RTP/SAVP 111 8 126',
  'c=IN IP4 127.0.0.1',
  'a=rtcp-mux',
  'a=sendrecv',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:126 telephone-event/8000',
  'a=ptime:20',
]
/** The same without Opus: WhatsApp's answer to a PBX whose PCMA is to pass through. */
const WHATSAPP_PCMA = WHATSAPP_SDP.filter((line) => !line.includes('opus')).map((line) =>
  line.replace('SAVP 111 8', 'SAVP 8'),
)
/** The PBX's description; its port is that of SIPp's RTP stream. */
const PBX_SDP = [
  'v=0',
  'o=pbx 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio [rtpstream_audio_port] RTP/AVP 8 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=ptime:20',
]

function message(lines: readonly string[], body: readonly string[] = []): string {
  const length =
    body.length > 0 ? ['Content-Type: application/sdp', 'Content-Length: [len]'] : EMPTY
  const text = [...lines, ...length, '', ...body].join('\n')
  return `<![CDATA[\n${text}\n${body.length > 0 ? '' : '\n'}]]>`
}

const send = (lines: readonly string[], body?: readonly string[]): string =>
  `<send>${message(lines, body)}</send>`
/** Sent again until it is answered. */
const sendAgain = (lines: readonly string[], body?: readonly string[]): string =>
  `<send retrans="500">${message(lines, body)}</send>`
const request = (method: string): string => `<recv request="${method}"/>`
const response = (status: number, more = ''): string => `<recv response="${status}"${more}/>`
const maybe = (status: number): string => response(status, ' optional="true"')
const pause = (ms?: number): string =>
  ms === undefined ? '<pause/>' : `<pause milliseconds="${ms}"/>`

const status = (line: string, tag: string, more: readonly string[], body?: readonly string[]) => {
  const [via, from, to, ...rest] = ECHO
  const lines = [`SIP/2.0 ${line}`, via!, ...more, from!, `${to}${tag}`, ...rest]
  return body ? sendAgain(lines, body) : send(lines)
}

/** 200 to BYE or CANCEL. */
const ok = send(['SIP/2.0 200 OK', ...ECHO, ...EMPTY.slice(1)])

/** Requests of a caller within its dialog. */
const within =
  (from: string, to: string) =>
  (method: string, cseq: number, more: string[] = []) => [
    `${method} [next_url] SIP/2.0`,
    VIA(),
    ...more,
    'Max-Forwards: 70',
    from,
    `${to}[peer_tag_param]`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
  ]

const CONSUMER = '+3319900[call_number]'

/** A WhatsApp user calls: INVITE, the challenge, INVITE again, and `after` its 100. */
function whatsappCalls(after: string[]): string[] {
  const invite = (cseq: number, more: string[] = []) =>
    sendAgain(
      [
        'INVITE sip:[service]@[domain];transport=tls SIP/2.0',
        VIA(';alias'),
        'Record-Route: <sip:wa.meta.vc;transport=tls;lr>',
        'Record-Route: <sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
        'Max-Forwards: 69',
        `From: "caller" <sip:${CONSUMER}@wa.meta.vc>;tag=[pid]w[call_number]`,
        'To: <sip:[service]@[domain]>',
        `Contact: <sip:${CONSUMER}@wa.meta.vc;transport=tls;ob>;isfocus`,
        'Call-ID: [call_id]',
        `CSeq: ${cseq} INVITE`,
        ...more,
        ...META,
        'x-wa-meta-wacid: wacid.[pid]-[call_number]',
      ],
      WHATSAPP_SDP,
    )
  return [
    invite(1),
    maybe(100),
    response(407, ' auth="true"'),
    send([
      'ACK sip:[service]@[domain];transport=tls SIP/2.0',
      '[last_Via:]',
      'Max-Forwards: 69',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      'CSeq: 1 ACK',
    ]),
    invite(2, ['[authentication username=[username] password=[password]]']),
    maybe(100),
    ...after,
  ]
}

const ofWhatsApp = within(
  `From: "caller" <sip:${CONSUMER}@wa.meta.vc>;tag=[pid]w[call_number]`,
  'To: <sip:[service]@[domain]>',
)

/** The same transaction as the INVITE: CANCEL, or the ACK of a refusal. */
const ofInvite = (method: string, uri: string, cseq: number): string =>
  send([
    `${method} ${uri} SIP/2.0`,
    '[last_Via:]',
    'Max-Forwards: 69',
    '[last_From:]',
    '[last_To:]',
    '[last_Call-ID:]',
    `CSeq: ${cseq} ${method}`,
  ])
/** CANCEL has no tag in To (RFC 3261 §9.1). */
const cancel = (uri: string, from: string, to: string, cseq: number): string =>
  sendAgain([
    `CANCEL ${uri} SIP/2.0`,
    '[last_Via:]',
    'Max-Forwards: 69',
    from,
    to,
    '[last_Call-ID:]',
    `CSeq: ${cseq} CANCEL`,
  ])

const WHATSAPP_URI = 'sip:[service]@[domain];transport=tls'
const DIALLED = `sip:${CONSUMER}@[remote_ip]:[remote_port]`
const PBX_FROM = 'From: <sip:[service]@[local_ip]:[local_port]>;tag=[pid]p[call_number]'

/** The PBX calls a WhatsApp user from the number [service], and `after` the 100. */
function pbxCalls(after: string[]): string[] {
  return [
    sendAgain(
      [
        `INVITE ${DIALLED} SIP/2.0`,
        VIA(),
        'Max-Forwards: 70',
        PBX_FROM,
        `To: <${DIALLED}>`,
        'Call-ID: [call_id]',
        'CSeq: 1 INVITE',
        PBX_CONTACT,
      ],
      PBX_SDP,
    ),
    maybe(100),
    ...after,
  ]
}

const ofPbx = within(PBX_FROM, `To: <${DIALLED}>`)
const answered = response(200, ' rrs="true"')
const STREAM = '<nop><action><exec rtp_stream="[rtp_file],-1,8,PCMA/8000"/></action></nop>'

/** WhatsApp is called: 407, INVITE again, 100, 180, and then. */
function whatsappIsCalled(after: string[]): string[] {
  const challenge =
    'Proxy-Authenticate: Digest realm="wa.meta.vc",nonce="419ac2415577f8e1",opaque="440badfc05072367",algorithm=MD5,qop="auth"'
  return [
    request('INVITE'),
    status('407 Proxy Authentication Required', ';tag=[pid]c[call_number]', [challenge]),
    request('ACK'),
    request('INVITE'),
    send(['SIP/2.0 100 Trying', ...ECHO]),
    status('180 Ringing', ';tag=[pid]s[call_number]', [...OUR_ROUTES, CALLEE_CONTACT]),
    ...after,
  ]
}

const CALLEE = ';tag=[pid]s[call_number]'
const whatsappAnswers = (sdp: readonly string[]) => [
  pause(100),
  status('200 OK', CALLEE, [...OUR_ROUTES, ...META, CALLEE_CONTACT], sdp),
  request('ACK'),
]

/** A called party hangs up: the caller's address is kept from its INVITE. */
const keepCaller = `<recv request="INVITE" rrs="true"><action>
  <ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="target"/>
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
  <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
</action></recv>`

/** A request of the called party in its dialog. */
const inCalleesDialog = (method: string, tag: string, more: string[] = []): string[] => [
  `${method} [$target] SIP/2.0`,
  VIA(),
  '[routes]',
  'Max-Forwards: 70',
  `From:[$to]${tag}`,
  'To:[$from]',
  'Call-ID: [call_id]',
  `CSeq: 77 ${method}`,
  ...more,
]
const byeOfCallee = (tag: string): string => sendAgain(inCalleesDialog('BYE', tag))

const TIMER = 'Session-Expires: 600;refresher=uas'
/** The same in a request of the one who refreshes. */
const TIMER_OF_OURS = 'Session-Expires: 600;refresher=uac'

const PBX_TAG = ';tag=[pid]p[call_number]'
const pbxRings = [status('180 Ringing', PBX_TAG, [PBX_CONTACT]), pause(100)]
const pbxAnswers = [...pbxRings, status('200 OK', PBX_TAG, [PBX_CONTACT], PBX_SDP), request('ACK')]
const byeComes = [request('BYE'), ok]

/** Every scenario by its name; `-d` is how long an answered call is held by the caller. */
const SCENARIOS: Record<string, string[]> = {
  'whatsapp-hangs-up': whatsappCalls([
    response(180),
    answered,
    send(ofWhatsApp('ACK', 2)),
    pause(),
    sendAgain(ofWhatsApp('BYE', 3, [])),
    response(200),
  ]),
  'whatsapp-waits': whatsappCalls([
    response(180),
    answered,
    send(ofWhatsApp('ACK', 2)),
    ...byeComes,
  ]),
  'whatsapp-cancels': whatsappCalls([
    response(180),
    pause(100),
    cancel(
      WHATSAPP_URI,
      `From: "caller" <sip:${CONSUMER}@wa.meta.vc>;tag=[pid]w[call_number]`,
      'To: <sip:[service]@[domain]>',
      2,
    ),
    response(200),
    response(487),
    ofInvite('ACK', WHATSAPP_URI, 2),
  ]),
  'whatsapp-is-refused': whatsappCalls([
    maybe(180),
    response(486, ' optional="true" next="1"'),
    response(480, ' optional="true" next="1"'),
    response(500, ' optional="true" next="1"'),
    response(503),
    '<label id="1"/>',
    ofInvite('ACK', WHATSAPP_URI, 2),
  ]),
  'pbx-is-hung-up-on': [request('INVITE'), ...pbxAnswers, STREAM, ...byeComes],
  // It runs the session timer it is offered, and asks for nothing but its refresh.
  'pbx-refreshes': [
    keepCaller,
    ...pbxRings,
    status('200 OK', PBX_TAG, [PBX_CONTACT, TIMER, 'Require: timer'], PBX_SDP),
    request('ACK'),
    pause(),
    sendAgain(inCalleesDialog('UPDATE', PBX_TAG, ['Supported: timer', TIMER_OF_OURS])),
    response(481),
  ],
  'pbx-hangs-up-when-called': [
    keepCaller,
    ...pbxAnswers,
    STREAM,
    pause(800),
    byeOfCallee(PBX_TAG),
    response(200),
  ],
  'pbx-rings': [
    request('INVITE'),
    status('180 Ringing', PBX_TAG, [PBX_CONTACT]),
    // The INVITE's lines go with the 487.
    ...[
      request('CANCEL'),
      ok,
      send([
        'SIP/2.0 487 Request Terminated',
        '[last_Via:]',
        '[last_From:]',
        `[last_To:]${PBX_TAG}`,
        '[last_Call-ID:]',
        'CSeq: [last_cseq_number] INVITE',
      ]),
      request('ACK'),
    ],
  ],
  'pbx-is-busy': [request('INVITE'), status('486 Busy Here', PBX_TAG, []), request('ACK')],
  'pbx-is-out-of-service': [
    request('INVITE'),
    status('503 Service Unavailable', PBX_TAG, []),
    request('ACK'),
  ],
  'pbx-hangs-up': pbxCalls([
    response(180),
    answered,
    send(ofPbx('ACK', 1, ['[routes]'])),
    STREAM,
    pause(),
    sendAgain(ofPbx('BYE', 2, ['[routes]'])),
    response(200),
  ]),
  'pbx-waits': pbxCalls([
    response(180),
    answered,
    send(ofPbx('ACK', 1, ['[routes]'])),
    STREAM,
    ...byeComes,
  ]),
  'pbx-cancels': pbxCalls([
    response(180),
    pause(100),
    cancel(DIALLED, PBX_FROM, `To: <${DIALLED}>`, 1),
    response(200),
    response(487),
    ofInvite('ACK', DIALLED, 1),
  ]),
  'pbx-is-refused': pbxCalls([maybe(180), response(486), ofInvite('ACK', DIALLED, 1)]),
  // Its Opus has to be converted.
  'whatsapp-is-hung-up-on': whatsappIsCalled([...whatsappAnswers(WHATSAPP_SDP), ...byeComes]),
  'whatsapp-hangs-up-when-called': [
    ...whatsappIsCalled([]).map((step, index) => (index === 3 ? keepCaller : step)),
    ...whatsappAnswers(WHATSAPP_PCMA),
    pause(),
    byeOfCallee(CALLEE),
    response(200),
  ],
  'whatsapp-rings': whatsappIsCalled([
    request('CANCEL'),
    ok,
    send([
      'SIP/2.0 487 Request Terminated',
      '[last_Via:]',
      '[last_From:]',
      `[last_To:]${CALLEE}`,
      '[last_Call-ID:]',
      'CSeq: [last_cseq_number] INVITE',
    ]),
    request('ACK'),
  ]),
  'whatsapp-declines': whatsappIsCalled([
    status('486 User declined the call', CALLEE, []),
    request('ACK'),
  ]),
}

/** Name of a scenario. */
export type ScenarioName = keyof typeof SCENARIOS

/** The XML of a scenario. @param rtpFile A-law that a PBX plays */
export function scenarioXml(name: ScenarioName, rtpFile: string): string {
  const steps = SCENARIOS[name]!.map((step) => step.replace('[rtp_file]', rtpFile))
  const used = steps.some((step) => step === keepCaller)
  const note = used ? '<Reference variables="target,from,to"/>' : ''
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name}">\n${steps.join('\n')}\n${note}\n</scenario>\n`
}
