import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  account,
  businessTalk,
  MetaInvite,
  metaBye,
  pbxBye,
  pbxInvite,
  userTalk,
} from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { ackFailure } from './support/dialog.ts'
import { answerDigest, verifyDigest } from './support/digest.ts'
import { hangUpAll, type Lab, NUMBER_ID, printsNoSecret, SECRETS, withLab } from './support/lab.ts'
import { Sip } from './support/message.ts'

const ROTATED = 'rotatedRotatedRotatedRotated1234'
/** Keeps passwords at rest. */
const kept = {
  // biome-ignore lint/suspicious/noExplicitAny: a configuration is edited freely by the tests
  edit: (config: any): void => {
    config.records.secret = 'cd'.repeat(32)
  },
}

interface Rotation {
  state: string
  steps: { step: string }[]
  window_ms: number | null
}

/** `causeway numbers rotate support` beside the running instance. */
function rotate(lab: Lab, ...args: string[]): Causeway {
  const token = join(lab.folder, 'token')
  writeFileSync(token, SECRETS.api)
  const target = ['--url', lab.at.http, '--token-file', token]
  return new Causeway(['numbers', 'rotate', 'support', ...target, ...args])
}

async function rotation(lab: Lab): Promise<Rotation | null> {
  const answer = await lab.http('/api/v1/numbers')
  return ((await answer.json()) as { numbers: { rotation: Rotation | null }[] }).numbers[0]!
    .rotation
}

/** Nothing of a password is in what is kept. */
function keepsNoSecret(t: Parameters<typeof printsNoSecret>[0], lab: Lab): void {
  const folder = join(lab.folder, 'data')
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'latin1')
    printsNoSecret(t, text)
    t.notMatch(text, ROTATED, name)
  }
}

t.test('a rotation loses no established call, and the next one has the new password', (t) =>
  withLab(t, kept, async (lab) => {
    lab.graph.nextPasswords.set(NUMBER_ID, ROTATED)
    const incoming = await userTalk(lab)
    const outgoing = await businessTalk(lab)
    const cli = rotate(lab, '--wait', '0')
    t.equal(await cli.exited, 0, cli.output)
    t.match(cli.stdout, /done: a new password, [\d.]+ m?s without service/)
    t.notMatch(cli.output, ROTATED)
    t.match(await rotation(lab), { state: 'done', window_ms: Number })

    const list = (await (await lab.http('/api/v1/calls?state=active')).json()) as { total: number }
    t.equal(list.total, 2, 'both calls are still there')
    t.equal((await metaBye(lab, incoming)).get('Proxy-Authorization'), '')
    t.equal((await pbxBye(lab, outgoing)).get('Proxy-Authorization'), '')
    const next = await businessTalk(lab)
    t.ok(verifyDigest(next.arrived.get('Proxy-Authorization'), 'INVITE', ROTATED))
    await pbxBye(lab, next)
    keepsNoSecret(t, lab)

    const journal = await lab.http('/api/v1/numbers/support/journal')
    const { entries } = (await journal.json()) as { entries: { action: string; after: unknown }[] }
    const steps = entries
      .filter(({ action }) => action === 'rotate')
      .map(({ after }) => (after as { step: string }).step)
    t.same(steps.reverse(), ['drain', 'disable', 'clear', 'add', 'enable', 'read'])
    printsNoSecret(t, JSON.stringify(entries))
    const metrics = await (await lab.http('/metrics')).text()
    t.match(metrics, /^causeway_credentials_age_seconds\{number="support"\} \d/m)
    t.match(
      metrics,
      /^causeway_credentials_last_used_timestamp_seconds\{number="support"\} \d{10}/m,
    )
    t.match(metrics, /^causeway_credentials_rotation_window_seconds\{number="support"\} \d/m)
  }),
)

t.test('while calls are waited for new ones are refused; the last BYE lets it go on', (t) =>
  withLab(t, {}, async (lab) => {
    lab.graph.nextPasswords.set(NUMBER_ID, ROTATED)
    const talk = await userTalk(lab)
    const cli = rotate(lab, '--wait', '1h')
    await cli.printed(/drain/)
    const invite = pbxInvite(lab)
    lab.pbx.send(lab.at.udp, invite.raw)
    const { sip: refused } = await lab.pbx.inbox.take({ status: 503, callId: invite.callId })
    t.match(refused.get('Warning'), /CALL_NUMBER_ROTATING/)
    t.equal(refused.get('Retry-After'), '10')
    lab.pbx.send(lab.at.udp, ackFailure(invite, refused))
    const line = await lab.wa.dial(lab.at.whatsapp)
    const meta = new MetaInvite({ from: '+33199009999' })
    const first = new Sip(meta.text())
    line.send(first.raw)
    const { sip: away } = await lab.wa.inbox.take({ status: 503, callId: meta.callId })
    t.equal(away.get('Retry-After'), '10')
    line.send(ackFailure(first, away))
    const health = (await (await lab.http('/healthz')).json()) as { checks: { number: object[] } }
    t.match(health.checks.number, [{ status: 'warn', output: /being rotated: drain/ }])
    const again = rotate(lab)
    t.equal(await again.exited, 1)
    t.match(again.stderr, 'SETTINGS_ROTATION_RUNNING')
    t.equal(lab.graph.passwords.get(NUMBER_ID), SECRETS.sip, 'nothing was changed so far')

    await metaBye(lab, talk)
    t.equal(await cli.exited, 0, cli.output)
    // WhatsApp proves the new password now.
    const call = new MetaInvite()
    const unproven = new Sip(call.text())
    line.send(unproven.raw)
    const { sip: asks } = await lab.wa.inbox.take({ status: 407, callId: call.callId })
    line.send(ackFailure(unproven, asks))
    call.cseq++
    const use = account({ password: ROTATED })
    line.send(call.text(answerDigest(asks.get('Proxy-Authenticate'), use)))
    const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
    t.ok(arrived)
    await hangUpAll(lab)
  }),
)

t.test('killed half-way, the next start ends it', (t) =>
  withLab(t, kept, async (lab) => {
    lab.graph.nextPasswords.set(NUMBER_ID, ROTATED)
    // The server is gone and cannot be put back.
    lab.graph.busyFor = ({ sip }) => JSON.stringify(sip ?? '').includes('hostname')
    const cli = rotate(lab, '--wait', '0')
    await cli.printed(/add/)
    lab.up.signal('SIGKILL')
    await lab.up.exited
    t.equal(await cli.exited, 1)
    t.match(lab.graph.calling.get(NUMBER_ID), { status: 'DISABLED', sip: { servers: [] } })
    keepsNoSecret(t, lab)

    lab.graph.busyFor = () => false
    lab.up = new Causeway(['up', '-c', lab.file, '--json'])
    lab.at = await lab.up.ready()
    await lab.up.printed(/"msg":"settings checked"/)
    t.match(await rotation(lab), {
      state: 'done',
      steps: [{ step: 'add' }, { step: 'enable' }, { step: 'read' }],
    })
    t.match(lab.graph.calling.get(NUMBER_ID), {
      status: 'ENABLED',
      sip: { status: 'ENABLED', servers: [{ hostname: 'sip.example.com' }] },
    })
    const talk = await businessTalk(lab)
    t.ok(verifyDigest(talk.arrived.get('Proxy-Authorization'), 'INVITE', ROTATED))
    await pbxBye(lab, talk)
    t.notMatch(lab.up.output, ROTATED)
  }),
)

t.test('a kept password serves while the Graph API cannot be reached', (t) =>
  withLab(t, kept, async (lab) => {
    t.equal(await lab.up.stop(), 0)
    lab.rewrite((config) => {
      config.whatsapp.graph_url = 'http://127.0.0.1:1'
    })
    lab.up = new Causeway(['up', '-c', lab.file, '--json'])
    lab.at = await lab.up.ready()
    const talk = await businessTalk(lab)
    t.ok(verifyDigest(talk.arrived.get('Proxy-Authorization'), 'INVITE', SECRETS.sip))
    await pbxBye(lab, talk)
  }),
)
