import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCert } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { businessTalk, MetaInvite, metaBye, pbxBye, pbxInvite, userTalk } from './support/calls.ts'
import { ackFailure } from './support/dialog.ts'
import { DOMAIN, type Lab, withLab } from './support/lab.ts'
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
    // The BYE itself is given up after 32 s.
    const late = setTimeout(() => lab.up.signal('SIGKILL'), 20_000)
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
    let after = before
    await until('a new certificate for new connections', async () => {
      after = await serial()
      return after !== before
    })
    await metaBye(lab, talk)
    writeFileSync(join(lab.folder, 'cert.pem'), 'no certificate at all')
    await metaBye(lab, await userTalk(lab))
    t.equal(await serial(), after, 'a broken file leaves the old one in place')
  }),
)
