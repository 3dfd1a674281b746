import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { causeway } from '../support/cli.ts'

const CONFIG = `sip:
  domain: sip.example.com
  listen: { whatsapp: tls://0.0.0.0:5061, pbx: [udp://10.0.0.5:5060, tcp://10.0.0.5:5060] }
  tls: { cert: cert.pem, key: key.pem }
media: { relay: none }
numbers:
  - name: support
    phone_number: "+441632960123"
    phone_number_id: "106540352242922"
    access_token: token-of-support
    calling:
      srtp_key_exchange_protocol: SDES
      sip: { request_uri_user_params: { tgrp: sales } }
      call_hours:
        status: DISABLED
        timezone_id: Europe/London
        weekly_operating_hours:
          - { day_of_week: THURSDAY, open_time: "0900", close_time: "1700" }
    inbound:
      trunk: main
      overflow: [backup, { trunk: night, ring_timeout: 10s }]
      routes:
        - { name: barred, match: { country: [KP] }, refuse: 603 }
        - { name: orders, match: { params: { tgrp: sales }, country: [DE, FR], payload: "order-*" }, trunk: backup }
        - { name: closed, match: { hours: closed }, trunk: night }
  - name: sales
    phone_number: "+441632960124"
    phone_number_id: "106540352242923"
    access_token: token-of-sales
    calling: { status: DISABLED, srtp_key_exchange_protocol: SDES }
trunks:
  - name: main
    targets: ["sip:10.0.0.9:5060", "sip:10.0.0.10:5060"]
    media: { srtp: sdes }
    outbound: { number: support, prefixes: [{ prefix: "91", number: sales }] }
    presentation: { numbers: national, country_code: "44" }
    permissions: check
  - name: backup
    targets: ["sip:10.1.0.9:5060"]
    media: { srtp: sdes }
    presentation: { numbers: digits, identity: both, from: anonymous }
  - name: night
    targets: ["sip:10.2.0.9:5060;transport=tcp"]
    media: { srtp: sdes }
`
const OPEN = '2026-12-17T12:00'

function site(t: Test): string {
  return t.testdir({ 'causeway.yaml': CONFIG, 'cert.pem': 'x', 'key.pem': 'x' })
}

function routeTest(cwd: string, ...args: string[]) {
  return causeway(['route', 'test', ...args], { cwd })
}

t.test('a call from WhatsApp: every route, the chain, and what each PBX sees', async (t) => {
  const cwd = site(t)
  const args = ['--number', 'support', '--from', '+33199001234', '--name', 'Zoé', '--at', OPEN]
  const { code, stdout, stderr } = await routeTest(cwd, ...args)
  t.equal(code, 0)
  t.equal(stderr, '')
  t.equal(
    stdout,
    `A call from WhatsApp to support (+441632960123)
  from        +33199001234 (Zoé)
  country     FR, by the calling code
  parameters  tgrp=sales
  at          Thu 2026-12-17 12:00 Europe/London: open

Routes
  ✗ barred  would refuse with 603
      ✗ country    KP  FR by the calling code
  ✗ orders
      ✓ parameter  tgrp=sales  tgrp=sales
      ✓ country    DE, FR      FR by the calling code
      ✗ payload    order-*     no payload
  ✗ closed
      ✗ hours      closed  open in Europe/London
  ✓ inbound  every call that no route takes

Goes to
  1. main    rings 45 s  sip:10.0.0.9:5060, sip:10.0.0.10:5060
  2. backup  rings 45 s  sip:10.1.0.9:5060
  3. night   rings 10 s  sip:10.2.0.9:5060;transport=tcp

The PBX of trunk main sees
  INVITE sip:01632960123@10.0.0.9:5060;transport=udp
  To: <sip:01632960123@10.0.0.9:5060>
  From: "Zoé" <sip:0033199001234@10.0.0.5:5060>
  P-Asserted-Identity: "Zoé" <sip:0033199001234@10.0.0.5:5060>
  Session-Expires: 600;refresher=uas
  X-WhatsApp-Business-Number: +441632960123
  X-WhatsApp-Phone-Number-Id: 106540352242922

The PBX of trunk backup sees, where it differs
  INVITE sip:441632960123@10.1.0.9:5060;transport=udp
  To: <sip:441632960123@10.1.0.9:5060>
  From: "Anonymous" <sip:anonymous@anonymous.invalid>
  P-Asserted-Identity: "Zoé" <sip:33199001234@10.0.0.5:5060>
  Remote-Party-ID: "Zoé" <sip:33199001234@sip.example.com>;party=calling;screen=yes;privacy=full
  Privacy: id

The PBX of trunk night sees, where it differs
  INVITE sip:+441632960123@10.2.0.9:5060;transport=tcp
  To: <sip:+441632960123@10.2.0.9:5060>
  From: "Zoé" <sip:+33199001234@10.0.0.5:5060>
  P-Asserted-Identity: "Zoé" <sip:+33199001234@10.0.0.5:5060>
`,
  )
})

t.test('a call from WhatsApp: which route', async (t) => {
  const cwd = site(t)
  const rows: [args: string[], route: string, chain: string[]][] = [
    [['--from', '+33199001234', '--payload', 'order-1'], 'orders', ['backup']],
    [['--from', '+33199001234', '--link-payload', 'order-1'], 'orders', ['backup']],
    [['--from', 'DE.123', '--payload', 'order-1'], 'orders', ['backup']],
    [
      ['--from', '+33199001234', '--payload', 'order-1', '--country', 'GB'],
      'inbound',
      ['main', 'backup', 'night'],
    ],
    [
      ['--from', '+33199001234', '--payload', 'order-1', '--param', 'x=y'],
      'inbound',
      ['main', 'backup', 'night'],
    ],
    [['--from', '+33199001234', '--at', '2026-12-17T18:00'], 'closed', ['night']],
    [
      ['--from', '+33199001234', '--at', '2026-12-17T18:00+02:00'],
      'inbound',
      ['main', 'backup', 'night'],
    ],
  ]
  for (const [args, route, chain] of rows) {
    const at = args.includes('--at') ? [] : ['--at', OPEN]
    const { code, stdout } = await routeTest(
      cwd,
      '--json',
      '--number',
      '+441632960123',
      ...at,
      ...args,
    )
    t.equal(code, 0)
    const said = JSON.parse(stdout)
    t.match(said, { ok: true, side: 'whatsapp', number: 'support', route })
    t.same(
      said.chain.map((step: { trunk: string }) => step.trunk),
      chain,
    )
  }
})

t.test('a number without call hours: whose time it is', async (t) => {
  const args = ['--number', 'sales', '--from', '+33199001234', '--at', '2026-12-17T18:00']
  t.match((await routeTest(site(t), ...args)).stdout, /at +Thu 2026-12-17 18:00 local time\n/)
})

t.test('a call from WhatsApp that is refused', async (t) => {
  const cwd = site(t)
  const barred = await routeTest(
    cwd,
    '--number',
    'support',
    '--from',
    '+850123456789',
    '--at',
    OPEN,
  )
  t.equal(barred.code, 1)
  t.match(barred.stdout, /✓ barred {2}refuses with 603\n/)
  t.match(barred.stdout, /· orders: barred has the call already\n/)
  t.match(barred.stdout, /Refused: WhatsApp is answered 603\n {2}CALL_ROUTE_REFUSED /)
  const off = await routeTest(cwd, '--json', '--number', 'sales', '--from', '+33199001234')
  t.equal(off.code, 1)
  t.match(JSON.parse(off.stdout), {
    ok: false,
    refused: { status: 480, error: { code: 'CALL_INBOUND_OFF' } },
  })
})

t.test('a call from the PBX: what named the number, and who is called', async (t) => {
  const cwd = site(t)
  const { code, stdout } = await routeTest(cwd, '--trunk', 'main', '--to', '9101632960999')
  t.equal(code, 0)
  t.equal(
    stdout,
    `A call from the PBX of trunk main
  dialled  01632960999

Number
  ✓ dialled prefix       91: number sales
  · P-Asserted-Identity  nothing
  · From                 nothing
  · Diversion            nothing
  · History-Info         nothing
  · outbound.number      number support

Goes to
  WhatsApp, from sales (+441632960124) to +441632960999
  if the consumer permits it (permissions: check)

WhatsApp sees
  INVITE sip:+441632960999@wa.meta.vc;transport=tls
  To: <sip:+441632960999@wa.meta.vc>
  From: <sip:+441632960124@sip.example.com>
`,
  )
  const rows: [args: string[], route: string, number: string][] = [
    [['--to', '+33199001234'], 'trunk', 'support'],
    [['--to', '+33199001234', '--from', '01632960124'], 'from', 'sales'],
    [['--to', '+33199001234', '--from', '+441632960123', '--pai', '+441632960124'], 'pai', 'sales'],
    [
      [
        '--to',
        '+33199001234',
        '--from',
        '200',
        '--diversion',
        '<sip:01632960124@x>;reason=deflection',
      ],
      'diversion',
      'sales',
    ],
    [['--to', '+33199001234', '--history-info', '441632960124'], 'history-info', 'sales'],
  ]
  for (const [args, route, number] of rows) {
    for (const where of [
      ['--trunk', 'main'],
      ['--source', '10.0.0.9'],
    ]) {
      const outcome = await routeTest(cwd, '--json', ...where, ...args)
      t.match(JSON.parse(outcome.stdout), { ok: true, trunk: 'main', route, number })
    }
  }
})

t.test('a call from the PBX that is refused', async (t) => {
  const cwd = site(t)
  const rows: [args: string[], status: number, code: string][] = [
    [['--trunk', 'main', '--to', 'anna'], 404, 'CALL_DIALLED_INVALID'],
    [['--trunk', 'backup', '--to', '+33199001234'], 403, 'CALL_BUSINESS_NUMBER_MISSING'],
    [['--source', '10.9.9.9', '--to', '+33199001234'], 403, 'CALL_PBX_SOURCE_REFUSED'],
  ]
  for (const [args, status, code] of rows) {
    const json = await routeTest(cwd, '--json', ...args)
    t.equal(json.code, 1)
    t.match(JSON.parse(json.stdout), { ok: false, refused: { status, error: { code } } })
    const text = await routeTest(cwd, ...args)
    t.match(text.stdout, `Refused: the PBX is answered ${status}\n  ${code}  `)
  }
})

t.test('a pasted INVITE says itself which side it is of', async (t) => {
  const cwd = site(t)
  writeFileSync(
    join(cwd, 'wa.txt'),
    `INVITE sip:+441632960123;tgrp=sales@sip.example.com;transport=tls SIP/2.0
From: "Zoé" <sip:+33199001234@wa.meta.vc>;tag=1
To: <sip:+441632960123@sip.example.com>
Call-ID: outgoing:wacid.1
X_WA_META_CTA_PAYLOAD: order-7
x-wa-meta-country-code: DE
`,
  )
  writeFileSync(
    join(cwd, 'pbx.txt'),
    `INVITE sip:01632960999@10.0.0.5 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1
From: <sip:200@10.0.0.9>;tag=1
Diversion: <sip:300@x>;reason=unconditional, <sip:01632960124@x>
`,
  )
  writeFileSync(join(cwd, 'none.txt'), 'SIP/2.0 200 OK\n')
  const wa = await routeTest(cwd, '--json', '--invite', 'wa.txt', '--at', OPEN)
  t.match(JSON.parse(wa.stdout), {
    route: 'orders',
    country: { country: 'DE', by: 'whatsapp' },
    chain: [{ invite: { headers: { 'X-WhatsApp-Wacid': 'wacid.1' } } }],
  })
  const pbx = await routeTest(cwd, '--invite', 'pbx.txt')
  t.equal(pbx.code, 0)
  t.match(pbx.stdout, /taken for {2}trunk main, whose accept\.from has 10\.0\.0\.9\n/)
  t.match(pbx.stdout, /✓ Diversion {12}300, 01632960124: number sales\n/)
  t.match(pbx.stdout, /from sales \(\+441632960124\) to \+441632960999\n/)
  const forced = await routeTest(cwd, '--json', '--invite', 'pbx.txt', '--trunk', 'night')
  t.match(JSON.parse(forced.stdout), { trunk: 'night', trunk_by: 'option', ok: false })
  const none = await routeTest(cwd, '--invite', 'none.txt')
  t.equal(none.code, 64)
  t.match(none.stderr, /no INVITE in the text/)
})

t.test('a wrong command line', async (t) => {
  const cwd = site(t)
  const rows: [args: string[], says: RegExp][] = [
    [[], /which call\? give --number, --trunk or --invite/],
    [['--number', 'suport', '--from', '+33199001234'], /no number suport; did you mean support\?/],
    [['--number', 'x', '--from', '+33199001234'], /no number x; there are support, sales/],
    [['--number', 'support'], /--from is missing/],
    [['--number', 'support', '--from', '1', '--param', 'x'], /--param takes NAME=VALUE, not x/],
    [['--number', 'support', '--from', '1', '--at', 'noon'], /--at takes a time such as/],
    [['--number', 'support', '--to', '1'], /--to does not go with --number/],
    [['--trunk', 'mian', '--to', '1'], /no trunk mian; did you mean main\?/],
    [['--trunk', 'main'], /--to is missing/],
    [['--trunk', 'main', '--to', '1', '--country', 'FR'], /--country does not go with --trunk/],
    [['--invite', 'gone.txt'], /gone\.txt cannot be read: ENOENT/],
    [['--invite', 'x', '--from', '1'], /--from does not go with --invite/],
  ]
  for (const [args, says] of rows) {
    const { code, stdout, stderr } = await routeTest(cwd, ...args)
    t.equal(code, 64, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, says)
    t.match(stderr, 'try: causeway route test --help')
  }
})
