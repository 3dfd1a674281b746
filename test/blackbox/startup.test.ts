import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeCa, makeCert } from '../support/certificates.ts'
import { PATIENCE } from '../support/until.ts'
import { businessTalk, MetaInvite, metaBye, pbxBye, userTalk } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { BUSINESS, CONSUMER, DOMAIN, type Lab, SECRETS, withLab } from './support/lab.ts'

t.test('a second instance on the same ports says so, and fails', (t) =>
  withLab(t, {}, async (lab) => {
    for (const change of [
      (config: Parameters<Parameters<Lab['rewrite']>[0]>[0]) => {
        config.sip.listen.pbx = [`udp://127.0.0.1:${lab.at.udp}`]
      },
      (config: Parameters<Parameters<Lab['rewrite']>[0]>[0]) => {
        config.sip.listen.pbx = ['udp://127.0.0.1:0', `tcp://127.0.0.1:${lab.at.tcp}`]
      },
      (config: Parameters<Parameters<Lab['rewrite']>[0]>[0]) => {
        config.sip.listen.pbx = ['udp://127.0.0.1:0']
        config.sip.listen.whatsapp = `tls://127.0.0.1:${lab.at.whatsapp}`
      },
      (config: Parameters<Parameters<Lab['rewrite']>[0]>[0]) => {
        config.sip.listen.whatsapp = 'tls://127.0.0.1:0'
        config.http.listen = lab.at.http.replace('http://', '')
      },
    ]) {
      lab.rewrite(change)
      const second = new Causeway(['up', '-c', lab.file])
      t.equal(await second.exited, 1)
      t.match(second.stderr, /error\[(SIP|APP)_\w+\]: /, 'a coded error')
      t.match(second.stderr, /EADDRINUSE|in use/i)
      t.match(second.stderr, /fix: /)
      t.notMatch(second.output, /\n\s+at .*:\d+:\d+/)
    }
    await metaBye(lab, await userTalk(lab))
  }),
)

t.test('what is wrong before it starts: exit codes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-blackbox-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'c.yaml')
  const ca = makeCa()
  const { cert, key } = makeCert({ ca, dns: ['other.example.com'] })
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'other.pem'), makeCert({ ca, dns: [DOMAIN] }).key)
  const valid = (tls: string): string =>
    `sip:\n  domain: ${DOMAIN}\n  listen: { whatsapp: "tls://127.0.0.1:0", pbx: ["udp://127.0.0.1:0"] }\n  tls: ${tls}\nmedia: { relay: none }\nhttp: { listen: "127.0.0.1:0" }\n`
  const rows: [string, string | undefined, string[], number, RegExp][] = [
    ['unknown key', 'sipp: {}', ['up', '-c', file], 78, /did you mean sip\?/],
    ['no file', undefined, ['up', '-c', join(folder, 'none.yaml')], 78, /error\[CONFIG_/],
    ['a folder', undefined, ['up', '-c', folder], 78, /error\[CONFIG_/],
    ['syntax', 'sip: {', ['up', '-c', file], 78, /c\.yaml:\d+:\d+/],
    ['usage', '', ['up', '--nope'], 64, /causeway up --help/],
    ['usage', '', ['upp'], 64, /did you mean up/],
    ['drain', '', ['up', '-c', file, '--drain', 'soon'], 64, /expected 30s/],
    [
      'no certificate; a holiday that is over is no reason',
      `${valid('{ cert: none.pem, key: key.pem }')}numbers:
  - name: support
    phone_number: "+441632960123"
    phone_number_id: "1"
    sip_password: own
    calling:
      call_hours:
        status: ENABLED
        timezone_id: Europe/London
        weekly_operating_hours: [{ day_of_week: MONDAY, open_time: "0900", close_time: "1730" }]
        holiday_schedule: [{ date: 2020-12-25, start_time: "0000", end_time: "2359" }]
`,
      ['up', '-c', file],
      1,
      /warning\[CONFIG_HOLIDAY_PAST\][\s\S]*error\[SIP_/,
    ],
    [
      'wrong key',
      valid('{ cert: cert.pem, key: other.pem }'),
      ['up', '-c', file],
      1,
      /error\[SIP_/,
    ],
  ]
  for (const [what, text, args, code, said] of rows) {
    if (text !== undefined) writeFileSync(file, text)
    const causeway = new Causeway(args)
    const late = setTimeout(() => causeway.signal('SIGKILL'), PATIENCE)
    t.equal(await causeway.exited, code, `${what}: ${causeway.stderr.slice(0, 200)}`)
    clearTimeout(late)
    t.match(causeway.stderr, said, what)
    t.notMatch(causeway.output, /\n\s+at .*:\d+:\d+/, `${what}: no stack trace`)
  }
})

t.test('nothing secret at the finest log level, no number when they are masked', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.log = { level: 'trace', numbers: 'masked' }
        config.trunks[0].accept.username = 'pbx'
        config.trunks[0].accept.password = SECRETS.pbxIn
        config.trunks[0].credentials = { username: 'x', password: SECRETS.pbxOut }
      },
    },
    async (lab) => {
      await metaBye(lab, await userTalk(lab))
      const talk = await businessTalk(lab)
      await pbxBye(lab, talk)
      const bad = new MetaInvite({ to: '+441632960999' })
      const line = await lab.wa.dial(lab.at.whatsapp)
      line.send(bad.text())
      await lab.wa.inbox.take({ status: (s) => s > 200, callId: bad.callId })
      const inCallId = Buffer.from(CONSUMER.slice(1)).toString('base64').slice(0, 14)
      t.notMatch(
        lab.up.stdout,
        new RegExp(`${BUSINESS.slice(1)}|${CONSUMER.slice(1)}|441632960999|${inCallId}`),
      )
      t.notMatch(lab.up.stdout, /inline:[A-Za-z0-9+/]{20}/)
      t.notMatch(lab.up.stdout, /response="[0-9a-f]{32}/)
      t.match(lab.up.stdout, /call ended/)
      const visible = lab.up.visible()
      t.ok(Object.values(SECRETS).every((secret) => !visible.includes(secret)))
    },
  ),
)
