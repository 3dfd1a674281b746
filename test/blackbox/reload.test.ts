import t from 'tap'
import {
  businessTalk,
  metaBye,
  metaVia,
  pbxAnswer,
  pbxBye,
  type UserCall,
  userCall,
  userTalk,
} from './support/calls.ts'
import { Dialog } from './support/dialog.ts'
import type { Received } from './support/inbox.ts'
import { type Lab, withLab } from './support/lab.ts'
import { COMMAND, newCertificate, REQUEST, SIGNAL } from './support/reload.ts'

// biome-ignore lint/suspicious/noExplicitAny: a configuration is edited freely
type Edit = (config: any, lab: Lab, round: number) => void

/** What a site changes under way, and the key it is told by. */
const CHANGES: [string, Edit][] = [
  [
    'trunks',
    (config, lab, round) => {
      config.trunks[0].targets = [{ uri: lab.pbx.udpUri, weight: round + 2 }]
    },
  ],
  [
    'numbers',
    (config, _lab, round) => {
      config.numbers[0].inbound.ring_timeout = `${40 + round}s`
    },
  ],
  [
    'limits.calls',
    (config, _lab, round) => {
      config.limits = { calls: 100 + round }
    },
  ],
  [
    'log.level',
    (config, _lab, round) => {
      config.log = { level: round % 2 === 0 ? 'debug' : 'info' }
    },
  ],
  [
    'sip.tls',
    (config, lab, round) => {
      config.sip.tls = newCertificate(lab, `round-${round}`)
    },
  ],
]

/** WhatsApp's side of a call whose PBX is answered by the test. */
async function answer(lab: Lab, call: UserCall, arrived: Received) {
  const { dialog } = pbxAnswer(lab, arrived)
  await lab.pbx.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
  const { sip: answer } = await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
  const wa = Dialog.caller(call.invite, answer, metaVia)
  wa.state.routes = []
  call.line.send(wa.ack())
  const sendPbx = (text: string): void => lab.pbx.send(lab.at.udp, text)
  return { ...call, wa, pbx: dialog, answer, arrived: arrived.sip, sendWa: call.line.send, sendPbx }
}

t.test('reloads of every kind and way in the middle of calls', (t) =>
  withLab(t, {}, async (lab) => {
    const held = [await userTalk(lab), await businessTalk(lab)]
    let round = 0
    for (const reload of [SIGNAL, REQUEST, COMMAND]) {
      // A command is a process of its own, and the instance sees the same request.
      for (const [key, edit] of reload === COMMAND ? CHANGES.slice(0, 1) : CHANGES) {
        round++
        const call = await userCall(lab)
        const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
        lab.rewrite((config) => edit(config, lab, round))
        const result = await reload(lab)
        t.match(result, { ok: true, applied: [key], restart: [], errors: [] }, `${round} ${key}`)
        await metaBye(lab, await answer(lab, call, arrived))
      }
    }
    for (const talk of held) await pbxBye(lab, talk)
    const metrics = await (await lab.http('/metrics')).text()
    t.match(metrics, `causeway_reloads_total{result="taken"} ${round}`)
    t.match(metrics, 'causeway_last_reload_successful 1')
    const ended = await (await lab.http('/api/v1/calls?state=ended')).json()
    const codes = (ended as { calls: { cause: { code: string } }[] }).calls.map(
      ({ cause }) => cause.code,
    )
    t.same(new Set(codes), new Set(['NORMAL']))
    t.equal(
      codes.length,
      round + held.length,
      `${round} reloads, ${codes.length} calls, none failed`,
    )
  }),
)

t.test('a reload while draining is taken, and the drain goes on', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab)
    lab.up.signal('SIGTERM')
    await lab.up.printed(/"msg":"draining"/)
    lab.rewrite((config) => {
      config.limits = { calls: 9 }
    })
    const results = await Promise.all([1, 2, 3].map(() => REQUEST(lab)))
    for (const { ok } of results) t.ok(ok)
    t.equal((await fetch(`${lab.at.http}/readyz`)).status, 503)
    await pbxBye(lab, talk)
    t.equal(await lab.up.exited, 0)
  }),
)
