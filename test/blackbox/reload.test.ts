import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCert } from '../support/certificates.ts'
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
import { Causeway } from './support/causeway.ts'
import { Dialog } from './support/dialog.ts'
import type { Received } from './support/inbox.ts'
import { DOMAIN, type Lab, SECRETS, withLab } from './support/lab.ts'

interface Result {
  ok: boolean
  applied: string[]
  restart: string[]
  errors: { code: string; place?: string }[]
}

type Reload = (lab: Lab) => Promise<Result>

/** The ways to ask for a reload; each resolves with what came of it. */
const SIGNAL: Reload = async (lab) => {
  lab.up.stdout = ''
  lab.up.signal('SIGHUP')
  await lab.up.printed(/configuration (not )?reloaded/)
  const response = await lab.http('/api/v1/reload')
  return ((await response.json()) as { last: Result }).last
}

const REQUEST: Reload = async (lab) => {
  const response = await lab.http('/api/v1/reload', { method: 'POST' })
  return (await response.json()) as Result
}

const COMMAND: Reload = async (lab) => {
  const token = join(lab.folder, 'token')
  writeFileSync(token, SECRETS.api)
  const run = new Causeway(['reload', '--url', lab.at.http, '--token-file', token, '--json'])
  await run.exited
  return JSON.parse(run.stdout) as Result
}

/** Files of the certificate that are not those of the start. */
function newCertificate(lab: Lab, name: string): { cert: string; key: string } {
  const { cert, key } = makeCert({ ca: lab.ca, dns: [DOMAIN] })
  writeFileSync(join(lab.folder, `${name}.pem`), cert)
  writeFileSync(join(lab.folder, `${name}-key.pem`), key)
  return { cert: `${name}.pem`, key: `${name}-key.pem` }
}

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

t.test('a certificate elsewhere is in use after the reload', (t) =>
  withLab(t, {}, async (lab) => {
    const serial = async (): Promise<string> => {
      const line = await lab.wa.dial(lab.at.whatsapp)
      const { serialNumber } = line.socket.getPeerCertificate()
      line.socket.destroy()
      return serialNumber
    }
    const before = await serial()
    const talk = await userTalk(lab)
    lab.rewrite((config) => {
      config.sip.tls = newCertificate(lab, 'renewed')
      config.sip.external_address = '203.0.113.77'
    })
    const result = await REQUEST(lab)
    t.same(result.applied, ['sip.external_address', 'sip.tls'])
    t.not(await serial(), before)
    const health = await (await lab.http('/healthz')).text()
    t.match(health, '203.0.113.77', 'the address is advertised')
    await metaBye(lab, talk)
  }),
)

t.test('what cannot be used changes nothing and says why, whichever way it is asked for', (t) =>
  withLab(t, {}, async (lab) => {
    const before = await (await lab.http('/api/v1/config')).text()
    // biome-ignore lint/suspicious/noExplicitAny: a configuration is edited freely
    const faults: [string, (config: any) => void, (config: any) => void][] = [
      [
        'SIP_CERTIFICATE_UNUSABLE',
        (config) => {
          config.sip.tls = { cert: 'cert.pem', key: newCertificate(lab, 'other').key }
        },
        (config) => {
          config.sip.tls = { cert: 'cert.pem', key: 'key.pem' }
        },
      ],
      [
        'CONFIG_SECRET_FILE',
        (config) => {
          config.numbers[0].sip_password_file = 'missing'
        },
        (config) => {
          delete config.numbers[0].sip_password_file
        },
      ],
      [
        'CONFIG_UNKNOWN_KEY',
        (config) => {
          config.limit = {}
        },
        (config) => {
          delete config.limit
        },
      ],
    ]
    for (const [code, spoil, repair] of faults) {
      lab.rewrite((config) => {
        spoil(config)
        config.limits = { calls: 7 }
      })
      const ways = code === 'CONFIG_UNKNOWN_KEY' ? [SIGNAL, COMMAND] : [SIGNAL, REQUEST]
      for (const reload of ways) {
        const result = await reload(lab)
        t.match(result, { ok: false, applied: [], errors: [{ code }] }, code)
        t.ok(result.errors[0]?.place, 'with its place')
      }
      lab.rewrite(repair)
    }
    t.equal(await (await lab.http('/api/v1/config')).text(), before, 'nothing was changed')
    const health = (await (await lab.http('/healthz')).json()) as {
      status: string
      checks: Record<string, object[]>
    }
    t.equal(health.status, 'warn')
    t.match(health.checks['configuration'], [{ status: 'warn', output: /CONFIG_UNKNOWN_KEY/ }])
    t.match(await (await lab.http('/metrics')).text(), 'causeway_last_reload_successful 0')
    await metaBye(lab, await userTalk(lab))
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
