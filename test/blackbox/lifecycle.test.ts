import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeCa, makeCert } from '../support/certificates.ts'
import { businessTalk, MetaInvite, metaBye, pbxBye, pbxInvite, userTalk } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { ackFailure } from './support/dialog.ts'
import { BUSINESS, CONSUMER, DOMAIN, type Lab, SECRETS, withLab } from './support/lab.ts'
import { response, Sip } from './support/message.ts'

/** A new call on each side; both have to be refused for the time being. */
async function refusedWhileDraining(lab: Lab): Promise<Sip[]> {
  const invite = pbxInvite(lab)
  lab.pbx.send(lab.at.udp, invite.raw)
  const pbx = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
  lab.pbx.send(lab.at.udp, ackFailure(invite, pbx.sip))
  const line = await lab.wa.dial(lab.at.whatsapp)
  const meta = new MetaInvite()
  const first = new Sip(meta.text())
  line.send(first.raw)
  const wa = await lab.wa.inbox.take({ status: (s) => s >= 300, callId: meta.callId })
  line.send(ackFailure(first, wa.sip))
  return [pbx.sip, wa.sip]
}

t.test('SIGTERM: new calls are refused, the one in progress may finish', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab)
    lab.up.signal('SIGTERM')
    await lab.up.printed(/"msg":"draining"/)
    for (const sip of await refusedWhileDraining(lab)) {
      t.equal(sip.status, 503)
      t.match(sip.get('Retry-After'), /^\d+/)
    }
    const ready = await fetch(`${lab.at.http}/readyz`)
    t.equal(ready.status, 503)
    const bye = await pbxBye(lab, talk)
    t.equal(bye.get('Reason'), '', 'the PBX hung up, not we')
    t.equal(await lab.up.exited, 0)
  }),
)

t.test('SIGTERM: after --drain both legs are hung up', (t) =>
  withLab(t, { args: ['--drain', '500ms'] }, async (lab) => {
    const talks = [await userTalk(lab), await businessTalk(lab)]
    lab.up.signal('SIGTERM')
    for (const { wa, pbx } of talks) {
      for (const [inbox, dialog] of [
        [lab.wa.inbox, wa],
        [lab.pbx.inbox, pbx],
      ] as const) {
        const bye = await inbox.take({ method: 'BYE', callId: dialog.state.callId })
        bye.reply(response(bye.sip, '200 OK'))
      }
    }
    t.equal(await lab.up.exited, 0)
  }),
)

t.test('SIGTERM: a leg that never answers our BYE does not keep the process', (t) =>
  withLab(t, { args: ['--drain', '0'] }, async (lab) => {
    const talk = await businessTalk(lab)
    lab.up.signal('SIGTERM')
    await lab.wa.inbox.take({ method: 'BYE', callId: talk.wa.state.callId })
    const late = setTimeout(() => lab.up.signal('SIGKILL'), 8000)
    t.equal(await lab.up.exited, 0)
    clearTimeout(late)
  }),
)

t.test('SIGHUP: a good file is taken, a bad one changes nothing', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab)
    const reloaded = async (pattern: RegExp): Promise<void> => {
      lab.up.stdout = ''
      lab.up.signal('SIGHUP')
      await lab.up.printed(pattern)
    }
    lab.rewrite((config) => {
      config.numbers[0].inbound.from = 'new-{caller:digits}'
      config.http.token = 'anotherToken'
      config.sip.domain = 'elsewhere.example.com'
    })
    await reloaded(/configuration reloaded/)
    t.match(lab.up.stdout, /"restart":\[[^\]]*sip\.domain/, 'what needs a restart is said')
    t.equal((await lab.http('/api/v1/calls')).status, 401, 'the old token is out')
    const headers = { authorization: 'Bearer anotherToken' }
    const config = await lab.http('/api/v1/config', { headers })
    t.notMatch(await config.text(), 'elsewhere', 'the running configuration')
    const next = await userTalk(lab)
    t.match(next.arrived.get('From'), /<sip:new-33199001234@/)
    await metaBye(lab, next)

    for (const text of ['sip: [', 'sip: {}', '', 'bogus: 1', 'a: &a [*a]', '\u0000\uffff']) {
      writeFileSync(lab.file, text)
      await reloaded(/configuration not reloaded/)
      const http = await lab.http('/api/v1/reload', { method: 'POST', headers })
      t.equal(http.status, 422)
      t.match(await http.json(), { ok: false, errors: [{ code: /^CONFIG_/ }] })
    }
    rmSync(lab.file)
    await reloaded(/configuration not reloaded/)
    const last = await userTalk(lab)
    t.match(last.arrived.get('From'), /<sip:new-33199001234@/)
    await metaBye(lab, last)
    await pbxBye(lab, talk)
    t.pass('the call of before was not touched')
  }),
)

t.test('the certificate is read again when its file changes', (t) =>
  withLab(t, {}, async (lab) => {
    const serial = async (): Promise<string> => {
      const line = await lab.wa.dial(lab.at.whatsapp)
      const { serialNumber } = line.socket.getPeerCertificate()
      line.socket.destroy()
      return serialNumber
    }
    const before = await serial()
    const talk = await userTalk(lab)
    const { cert, key } = makeCert({ ca: lab.ca, dns: [DOMAIN] })
    for (const [name, text] of [
      ['cert.pem', cert],
      ['key.pem', key],
    ] as const) {
      writeFileSync(join(lab.folder, `${name}.new`), text)
      renameSync(join(lab.folder, `${name}.new`), join(lab.folder, name))
    }
    let after = await serial()
    for (let i = 0; i < 100 && after === before; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      after = await serial()
    }
    t.not(after, before, 'new connections get the new certificate')
    await metaBye(lab, talk)
    writeFileSync(join(lab.folder, 'cert.pem'), 'no certificate at all')
    await metaBye(lab, await userTalk(lab))
    t.equal(await serial(), after, 'a broken file leaves the old one in place')
  }),
)

t.test('a second instance on the same ports says so, and fails', (t) =>
  withLab(t, {}, async (lab) => {
    for (const change of [
      (config: Parameters<Parameters<Lab['rewrite']>[0]>[0]) => {
        config.sip.listen.pbx = [`udp://127.0.0.1:${lab.at.udp}`]
      },
      (config: Parameters<Parameters<Lab['rewrite']>[0]>[0]) => {
        config.sip.listen.pbx = [`tcp://127.0.0.1:${lab.at.tcp}`]
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
      'no certificate',
      valid('{ cert: none.pem, key: key.pem }'),
      ['up', '-c', file],
      1,
      /error\[SIP_/,
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
    const late = setTimeout(() => causeway.signal('SIGKILL'), 6000)
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
      t.notMatch(lab.up.stdout, new RegExp(`${BUSINESS.slice(1)}|${CONSUMER.slice(1)}`))
      t.notMatch(lab.up.stdout, /inline:[A-Za-z0-9+/]{20}/)
      t.notMatch(lab.up.stdout, /response="[0-9a-f]{32}/)
      t.match(lab.up.stdout, /call ended/)
      const visible = lab.up.visible()
      t.ok(Object.values(SECRETS).every((secret) => !visible.includes(secret)))
    },
  ),
)
