import { once } from 'node:events'
import t, { type Test } from 'tap'
import { pbxVia, userCall } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { ackFailure } from './support/dialog.ts'
import { answerDigest, verifyDigest } from './support/digest.ts'
import type { Received } from './support/inbox.ts'
import { DOMAIN, type Lab, SECRETS, withLab } from './support/lab.ts'
import { bare, fresh, response, Sip, write } from './support/message.ts'
import { pbxSdp } from './support/sdp.ts'

// Five processes are started, one after the other.
t.setTimeout(120_000)

interface TrunkView {
  registration: { state: string; error: unknown } | null
  contacts: { uri: string; source: string }[] | null
}

async function trunkOf(lab: Lab): Promise<TrunkView> {
  const { trunks } = (await (await lab.http('/api/v1/trunks')).json()) as { trunks: TrunkView[] }
  return trunks[0]!
}

/** The sample of a metric; NaN without one. */
async function metric(lab: Lab, name: string): Promise<number> {
  const text = await (await fetch(`${lab.at.http}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? Number.NaN)
}

async function check(lab: Lab, component: string): Promise<{ status: string; output: string }> {
  const health = (await (await fetch(`${lab.at.http}/healthz`)).json()) as {
    checks: Record<string, { status: string; output: string }[]>
  }
  return health.checks[component]![0]!
}

/** Takes the next REGISTER with the right digest, by way of a challenge, and grants it. */
async function grant(
  t: Test,
  lab: Lab,
  expires: number,
  more: [name: string, value: string][] = [],
): Promise<Received> {
  let received = await lab.pbx.inbox.take({ method: 'REGISTER' })
  if (!received.sip.get('Authorization')) {
    const value = `Digest realm="pbx", nonce="${fresh('n')}", algorithm=MD5, qop="auth"`
    received.reply(
      response(received.sip, '401 Unauthorized', { headers: [['WWW-Authenticate', value]] }),
    )
    received = await lab.pbx.inbox.take({ method: 'REGISTER' })
  }
  const { sip } = received
  t.ok(verifyDigest(sip.get('Authorization'), 'REGISTER', SECRETS.pbxOut), 'the right digest')
  t.match(sip.get('Contact'), new RegExp(`;expires=${expires}$`))
  const headers: [string, string][] = [['Contact', sip.get('Contact')], ...more]
  received.reply(response(sip, '200 OK', { headers }))
  return received
}

t.test('Causeway registers, is called at its Contact, and unregisters', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.trunks[0].register = {
          registrar: pbx.udpUri,
          username: 'causeway',
          password: SECRETS.pbxOut,
        }
        config.trunks[0].accept = { from: [] }
      },
    },
    async (lab) => {
      const { sip } = await grant(t, lab, 300)
      await lab.up.printed(/registered with the PBX/)
      t.match(await trunkOf(lab), { registration: { state: 'registered', error: null } })
      t.match(await check(lab, 'registration'), { status: 'pass', output: /^registered with sip:/ })
      const registrar = lab.pbx.udpUri
      t.equal(
        await metric(lab, `causeway_registration_up{trunk="main",registrar="${registrar}"}`),
        1,
      )

      const uri = bare(sip.get('Contact')).replace('causeway@', '+33199001234@')
      const invite = new Sip(
        write(
          `INVITE ${uri} SIP/2.0`,
          [
            ['Via', pbxVia(lab)(fresh('z9hG4bK'))],
            ['Max-Forwards', '70'],
            ['From', `<sip:200@pbx>;tag=${fresh('t')}`],
            ['To', '<sip:+33199001234@pbx>'],
            ['Call-ID', fresh('call')],
            ['CSeq', '1 INVITE'],
            ['Contact', `<sip:200@127.0.0.1:${lab.pbx.udpPort}>`],
            ['Content-Type', 'application/sdp'],
          ],
          pbxSdp(),
        ),
      )
      lab.pbx.send(lab.at.udp, invite.raw)
      const out = await lab.wa.inbox.take({ method: 'INVITE' })
      t.match(out.sip.uri, /^sip:\+33199001234@wa\.meta\.vc/)
      out.reply(response(out.sip, '486 Busy Here'))
      const busy = await lab.pbx.inbox.take({ status: 486, callId: invite.callId })
      lab.pbx.send(lab.at.udp, ackFailure(invite, busy.sip))

      lab.rewrite((config) => {
        config.trunks[0].register.expires = '120s'
      })
      lab.up.signal('SIGHUP')
      await grant(t, lab, 0)
      await grant(t, lab, 120)
      await lab.up.printed(/(registered with the PBX[\s\S]*){2}/)
      lab.up.signal('SIGTERM')
      await grant(t, lab, 0)
      t.equal(await lab.up.exited, 0)
    },
  ),
)

t.test('the connection of a registration is pinged, and replaced when it fails', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.trunks[0].register = {
          registrar: pbx.tcpUri,
          username: 'causeway',
          password: SECRETS.pbxOut,
        }
      },
    },
    async (lab) => {
      const flow: [string, string][] = [
        ['Require', 'outbound'],
        ['Flow-Timer', '2'],
      ]
      await grant(t, lab, 300, flow)
      const [line] = lab.pbx.accepted
      for (const pings of [1, 2]) {
        while (line!.cutter.crlfs < pings * 2) await once(line!.socket, 'data')
        line!.send('\r\n')
      }
      const failures = 'causeway_registration_flow_failures_total{trunk="main"}'
      t.equal(await metric(lab, failures), 0)
      line!.socket.destroy()
      await grant(t, lab, 300, flow)
      t.equal(lab.pbx.accepted.length, 2, 'over another connection')
      t.equal(await metric(lab, failures), 1)
      await lab.up.printed(/TRUNK_REGISTER_FLOW_FAILED/)
      lab.up.signal('SIGTERM')
      await grant(t, lab, 0)
      t.equal(await lab.up.exited, 0)
    },
  ),
)

t.test('a refused registration says what to do, and stops nothing', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.trunks[0].register = {
          registrar: pbx.udpUri,
          username: 'causeway',
          password: SECRETS.pbxOut,
        }
      },
    },
    async (lab) => {
      const { sip, reply } = await lab.pbx.inbox.take({ method: 'REGISTER' })
      reply(response(sip, '403 Forbidden'))
      await lab.up.printed(/TRUNK_REGISTER_REFUSED/)
      t.match(await trunkOf(lab), {
        registration: { state: 'refused', error: { code: 'TRUNK_REGISTER_REFUSED' } },
      })
      t.match(await check(lab, 'registration'), { status: 'fail', output: /403.*trunks\[\]/ })
      t.equal((await fetch(`${lab.at.http}/readyz`)).status, 200)
    },
  ),
)

t.test('the PBX registers: its contact is called, and is there after kill -9', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.trunks[0].targets = []
        config.trunks[0].accept = {
          username: 'pbx',
          password: SECRETS.pbxIn,
          registrations: true,
        }
      },
    },
    async (lab) => {
      t.match(await check(lab, 'registrar'), {
        status: 'warn',
        output: /TRUNK_NOT_REGISTERED|not registered/,
      })
      const contact = `sip:pbx@127.0.0.1:${lab.pbx.udpPort};line=abc`
      await register(t, lab, contact)
      await lab.up.printed(/"msg":"PBX registered"/)
      t.match(await trunkOf(lab), {
        registration: null,
        contacts: [{ uri: contact, source: `udp:127.0.0.1:${lab.pbx.udpPort}` }],
      })
      await called(t, lab, 'line=abc')

      lab.up.signal('SIGKILL')
      await lab.up.exited
      lab.up = new Causeway(['up', '-c', lab.file, '--json'])
      lab.at = await lab.up.ready()
      t.equal(await metric(lab, 'causeway_registrar_contacts{trunk="main"}'), 1)
      await called(t, lab, 'line=abc')
    },
  ),
)

/** The PBX registers by way of Causeway's challenge. */
async function register(t: Test, lab: Lab, contact: string): Promise<void> {
  const callId = fresh('reg')
  const send = (cseq: number, authorization?: string): void =>
    lab.pbx.send(
      lab.at.udp,
      write(`REGISTER sip:${DOMAIN} SIP/2.0`, [
        ['Via', pbxVia(lab)(fresh('z9hG4bK'))],
        ['Max-Forwards', '70'],
        ['From', `<sip:pbx@${DOMAIN}>;tag=${fresh('t')}`],
        ['To', `<sip:pbx@${DOMAIN}>`],
        ['Call-ID', callId],
        ['CSeq', `${cseq} REGISTER`],
        ['Contact', `<${contact}>`],
        ['Authorization', authorization],
      ]),
    )
  send(1)
  const { sip: challenge } = await lab.pbx.inbox.take({ status: 401, callId })
  const offered = challenge.all('WWW-Authenticate')
  t.equal(offered.length, 2, 'two challenges, each a header of its own')
  const use = { username: 'pbx', password: SECRETS.pbxIn, method: 'REGISTER', uri: `sip:${DOMAIN}` }
  send(2, answerDigest(offered.find((one) => one.includes('SHA-256'))!, use))
  const { sip: granted } = await lab.pbx.inbox.take({ status: 200, callId })
  t.match(granted.get('Contact'), `<${contact}>`)
}

/** A call of WhatsApp arrives at the contact with its parameters. */
async function called(t: Test, lab: Lab, parameter: string): Promise<void> {
  const { meta, line } = await userCall(lab)
  const { sip, reply } = await lab.pbx.inbox.take({ method: 'INVITE' })
  t.match(sip.uri, new RegExp(`^sip:\\+441632960123@127\\.0\\.0\\.1:\\d+;${parameter}$`))
  reply(response(sip, '486 Busy Here'))
  const busy = await lab.wa.inbox.take({ status: 486, callId: meta.callId })
  line.send(ackFailure(new Sip(meta.text()), busy.sip))
}
