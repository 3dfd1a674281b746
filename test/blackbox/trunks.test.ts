import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCa, makeCert } from '../support/certificates.ts'
import { type PeerMessage, SipPeer } from '../support/sip-peer.ts'
import { until } from '../support/until.ts'
import { type UserCall, userCall } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { ackFailure } from './support/dialog.ts'
import { type Lab, SECRETS, withLab } from './support/lab.ts'

/** A target that answers OPTIONS once it is told to. */
async function target(t: Test, open: () => Promise<SipPeer> = () => SipPeer.open()) {
  const peer = await open()
  let up = true
  t.teardown(() => {
    up = false
    return peer.close()
  })
  const answer = async (): Promise<void> => {
    while (up) {
      const options = await peer.expect('OPTIONS', 1000).catch(() => undefined)
      if (options && up) peer.respond(options, 200, { tag: 'o' })
    }
  }
  return { peer, uri: `sip:${peer.hostport}`, answer: () => void answer() }
}

const ping = { interval: '1s', timeout: '500ms' }
// biome-ignore lint/suspicious/noExplicitAny: answers are matched, not used
const json = async (lab: Lab, path: string): Promise<any> => (await lab.http(path)).json()

t.test('two targets, one of them silent, as an operator sees it', async (t) => {
  const [first, second] = [await target(t), await target(t)]
  second.answer()
  const edit = (config: { trunks: object[] }): void => {
    const targets = [first.uri, { uri: second.uri, priority: 1 }]
    config.trunks[0] = { ...config.trunks[0], targets, options: ping, limits: { calls: 30 } }
  }
  await withLab(t, { edit }, async (lab) => {
    const [line] = await lab.up.printed(/^\{.*"target is down".*\}$/m)
    t.match(JSON.parse(line), { level: 40, target: first.uri, reason: /no answer to OPTIONS/ })
    let { trunks } = await json(lab, '/api/v1/trunks')
    await until('a ping that is answered', async () => {
      trunks = (await json(lab, '/api/v1/trunks')).trunks
      return trunks[0].targets[1].state === 'up'
    })
    t.match(trunks[0], {
      up: true,
      active_calls: 0,
      limit: 30,
      failovers: 0,
      targets: [
        { uri: first.uri, status: 'fail', state: 'down', pinged: true, ping_ms: null },
        { uri: second.uri, status: 'pass', state: 'up', pinged: true, ping_ms: Number },
      ],
    })
    const health = await json(lab, '/healthz')
    t.match(health.checks.trunk[0], {
      status: 'warn',
      output: /^sip:\S+ down for \d+ s: no answer to OPTIONS in 500 ms; pinged\s+until it answers$/,
    })
    const metrics = await (await lab.http('/metrics')).text()
    const { name } = trunks[0]
    t.match(metrics, `causeway_trunk_up{trunk="${name}"} 1`)
    t.match(metrics, `causeway_target_up{trunk="${name}",target="${first.uri}"} 0`)
    t.match(metrics, `causeway_target_up{trunk="${name}",target="${second.uri}"} 1`)
    t.match(metrics, `causeway_target_ping_seconds{trunk="${name}",target="${second.uri}"} 0.`)
    const token = join(lab.folder, 'token')
    writeFileSync(token, SECRETS.api)
    const at = ['--url', lab.at.http, '--token-file', token]
    const shown = new Causeway(['trunks', 'show', ...at])
    t.equal(await shown.exited, 2)
    t.match(shown.stdout, `${name}  0 of 30 calls in progress\n`)
    t.match(
      shown.stdout,
      /✗ sip:\S+ +down for \d+ s: no answer to OPTIONS in 500 ms; pinged\s+until/,
    )
    t.match(shown.stdout, /✓ sip:\S+ +up for \d+ s, ping [\d.]+ ms\n/)
    first.answer()
    await lab.up.printed(/"target is back"/)
    t.equal(lab.up.stdout.match(/"target is down"/g)?.length, 1, 'said once')
    t.match((await json(lab, '/healthz')).checks.trunk[0], { status: 'pass' })
  })
})

t.test('a PBX that says 100 has time to ring, one that says nothing has not', async (t) => {
  const [slow, second] = [await target(t), await target(t)]
  const edit = (config: { trunks: object[] }): void => {
    const targets = [slow.uri, { uri: second.uri, priority: 1 }]
    const failover = { timeout: '500ms' }
    config.trunks[0] = { ...config.trunks[0], targets, failover, options: 0 }
  }
  await withLab(t, { edit }, async (lab) => {
    /** A target is busy, and WhatsApp is told. */
    const busy = async (peer: SipPeer, invite: PeerMessage, call: UserCall): Promise<void> => {
      peer.respond(invite, 486, { tag: 'p' })
      await peer.expect('ACK')
      const { sip } = await lab.wa.inbox.take({ status: 486, callId: call.meta.callId })
      call.line.send(ackFailure(call.invite, sip))
    }
    const patient = await userCall(lab)
    const invite = await slow.peer.expect('INVITE')
    slow.peer.respond(invite, 100)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    slow.peer.respond(invite, 180, { tag: 'p', headers: { Contact: slow.peer.contact } })
    await lab.wa.inbox.take({ status: 180, callId: patient.meta.callId })
    await busy(slow.peer, invite, patient)
    t.same(second.peer.received, [])

    const handed = await userCall(lab)
    await slow.peer.expect('INVITE')
    await busy(second.peer, await second.peer.expect('INVITE'), handed)
    const { targets } = (await json(lab, '/api/v1/trunks')).trunks[0]
    t.match(targets[0], { uri: slow.uri, state: 'down' })
  })
})

t.test('a PBX with a private authority that asks for a client certificate', async (t) => {
  const ca = makeCa('of the PBX')
  const client = makeCert({ ca, name: 'causeway' })
  const server = {
    ...makeCert({ ca, dns: ['pbx.example.com'] }),
    ...{ ca: ca.cert, requestCert: true, rejectUnauthorized: true },
  }
  const pbx = await target(t, () => SipPeer.stream({ server, client: {} }))
  pbx.answer()
  const edit = (config: { trunks: object[] }): void => {
    const targets = [`${pbx.uri};transport=tls`]
    config.trunks[0] = { ...config.trunks[0], targets, options: ping }
  }
  await withLab(t, { edit }, async (lab) => {
    const [line] = await lab.up.printed(/^\{.*"target is down".*\}$/m)
    t.match(JSON.parse(line).reason, /^no connection/)
    writeFileSync(join(lab.folder, 'client.pem'), client.cert)
    writeFileSync(join(lab.folder, 'client.key'), client.key)
    writeFileSync(join(lab.folder, 'pbx-ca.pem'), ca.cert)
    lab.rewrite((config) => {
      const files = { cert: 'client.pem', key: 'client.key', ca: 'pbx-ca.pem' }
      config.trunks[0].tls = { ...files, server_name: 'pbx.example.com' }
    })
    const reload = await (await lab.http('/api/v1/reload', { method: 'POST' })).json()
    t.match(reload, { ok: true, applied: ['trunks'], restart: [] })
    await lab.up.printed(/"target is back"/)
  })
})
