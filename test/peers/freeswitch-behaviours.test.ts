import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type CallRecord, type Simulator, startSimulator } from '../../src/simulator/index.ts'
import { answered, arrows, recordOf } from './support/asterisk-calls.ts'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { configuration, DOMAIN, managedNumber } from './support/configuration.ts'
import { tail } from './support/daemon.ts'
import { FreeSwitch, sdp } from './support/freeswitch.ts'
import { peersFolder } from './support/install.ts'
import { freePort, rtpRange } from './support/ports.ts'
import { startSipp } from './support/sipp.ts'
import { until } from './support/until.ts'

const NUMBER = '+441632960123'

interface Lab {
  simulator: Simulator
  causeway: Causeway
  folder: string
  /** SIP ports of FreeSWITCH and of another place in the same trunk. */
  pbx: number
  other: number
}

/** Simulator and Causeway; FreeSWITCH is a script that each test starts. */
async function startLab(t: Test): Promise<Lab> {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const ports = await causewayPorts()
  const [pbx, other] = [await freePort(), await freePort()]
  const number = {
    phoneNumberId: '106540352242910',
    phoneNumber: NUMBER,
    accessToken: 'token',
    appId: 'app',
  }
  const simulator = await startSimulator({
    numbers: [number],
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
  })
  t.teardown(() => simulator.close())
  const range = rtpRange(200)
  const config = {
    ...configuration({
      ports,
      pbxPort: pbx,
      whatsappPort: simulator.sipAddress.port,
      tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
      graphUrl: simulator.graphUrl,
      numbers: [],
    }),
    media: { relay: 'embedded', listen: '127.0.0.1', ports: `${range.first}-${range.last}` },
    numbers: [
      managedNumber('support', number, { listen: ports.whatsapp, inbound: { trunk: 'pbx' } }),
    ],
    trunks: [
      {
        name: 'pbx',
        targets: [pbx, other].map((port) => `sip:127.0.0.1:${port}`),
        accept: { from: ['127.0.0.1'] },
        media: { codecs: ['opus', 'PCMA', 'PCMU'] },
        outbound: { number: 'support' },
      },
    ],
    limits: { calls: 20 },
  }
  const causeway = await startCauseway({ ports, config })
  t.teardown(async () => {
    if (!t.passing()) t.comment(`Causeway's log ends with\n${tail(causeway.log)}`)
    await causeway.stop()
  })
  await causeway.healthy()
  return { simulator, causeway, folder, pbx, other }
}

t.setTimeout(120_000)
const lab = await startLab(t)
let scripts = 0

/** Runs a script at a port; resolves when it has ended, with whether it went as written. */
async function play(xml: string, port: number, called?: string): Promise<() => Promise<void>> {
  const scenario = join(lab.folder, `script-${scripts++}.xml`)
  writeFileSync(scenario, xml)
  const sipp = await startSipp({
    scenario,
    port,
    ...(called ? { target: `127.0.0.1:${lab.causeway.ports.pbx}` } : {}),
    // NOTIFY is answered as it comes: a BYE may follow closer than a script can take it.
    args: ['-m', '1', '-timeout', '20s', '-aa', ...(called ? ['-s', called] : [])],
  })
  return async () => {
    const { succeeded, unexpected, errors } = await sipp.done()
    if (succeeded !== 1 || unexpected > 0)
      throw new Error(`the script did not come to its end:\n${errors}`)
  }
}

let consumers = 1001

/** A consumer calls; FreeSWITCH is scripted, and so may be the place it transfers to. */
async function incoming(t: Test, xml: string, transferred?: string): Promise<CallRecord> {
  const done = [await play(xml, lab.pbx)]
  if (transferred) done.push(await play(transferred, lab.other))
  const from = `+33199${consumers++}000`
  const call = lab.simulator.sip.placeCall({ from, to: NUMBER })
  const scripts = Promise.all(done.map((ended) => ended()))
  await Promise.all([answered(t, call), scripts])
  await over(t, call)
  return call
}

/** FreeSWITCH calls a consumer, who picks up. */
async function outgoing(t: Test, xml: string): Promise<void> {
  const { simulator } = lab
  const consumer = `+33199${consumers++}000`
  simulator.store.grantPermission(simulator.store.lookupNumberByPhone(NUMBER)!, consumer, true)
  simulator.sip.consumers.update(consumer, { script: { action: 'answer', after: 300 } })
  const coming = simulator.sip.calls.next((call) => call.consumer === consumer.slice(1))
  const ended = await play(xml, lab.pbx, consumer)
  const script = ended()
  const call = await Promise.race([coming, script.then(() => coming)])
  await Promise.all([answered(t, call), script])
  await over(t, call)
}

/** The call is over, and WhatsApp has seen nothing between its beginning and the BYE. */
async function over(t: Test, call: CallRecord): Promise<void> {
  await call.until(() => false)
  const requests = call.messages
    .filter(({ direction, text }) => direction === 'received' && !text.startsWith('SIP/2.0'))
    .filter(({ text }) => /^To: .*;tag=/m.test(text))
    .map(({ text }) => text.split(' ', 1)[0])
  t.same(
    requests.filter((method) => method !== 'ACK'),
    ['BYE'],
    'requests WhatsApp has seen',
  )
  t.same(call.violations, [], "WhatsApp's rules were kept")
  t.equal(call.view().media?.received.ssrcs.length, 1, 'WhatsApp saw one SSRC')
  await until('nothing is left', async () => {
    const metrics = await lab.causeway.metrics()
    return (
      metrics.get('causeway_media_ports{state="used"}') === 0 &&
      metrics.get('causeway_sip_dialogs') === 0
    )
  })
}

const ok = (body = sdp()): [string, { body: string }] => ['200 OK', { body }]
const body = (like: string) => ({ in: 'body', like })

t.test('a re-INVITE right after the answer changes codec and port', (t) => {
  const fs = FreeSwitch.called(body('RTP/AVP'))
    .answer('180 Ringing')
    .answer(...ok())
    .expect('ACK')
    .request('INVITE', { body: sdp({ payloads: '8 101', port: 16_400, version: 2 }) })
    .response(200, body('m=audio [0-9]+ RTP/AVP 8 101'))
    .ack()
  return incoming(t, fs.bye())
})

t.test('hold by sendonly, then by inactive, and back', (t) => {
  const fs = FreeSwitch.called()
    .answer(...ok())
    .expect('ACK')
  const turns = [
    ['sendonly', 'recvonly'],
    ['inactive', 'inactive'],
    ['sendrecv', 'sendrecv'],
  ] as const
  for (const [index, [direction, answer]] of turns.entries()) {
    fs.request('INVITE', { body: sdp({ direction, version: index + 2 }) })
      .response(200, body(`a=${answer}`))
      .ack()
      .pause(200)
  }
  return incoming(t, fs.bye())
})

t.test('a re-INVITE without an offer', (t) => {
  const fs = FreeSwitch.called()
    .answer(...ok())
    .expect('ACK')
    .request('INVITE')
    .response(200, body('m=audio [1-9][0-9]* RTP/AVP'))
    .ack(sdp({ version: 2 }))
  return incoming(t, fs.bye())
})

t.test('a call without an offer', (t) => {
  const fs = FreeSwitch.calls({})
    .response(180)
    .response(200, body('m=audio [1-9][0-9]* RTP/AVP'))
    .ack(sdp())
  return outgoing(t, fs.bye())
})

t.test('session timer of a call it takes: it refreshes by UPDATE and by re-INVITE', (t) => {
  const timer = ['Session-Expires: 120;refresher=uas', 'Min-SE: 120']
  const refresh = ['Session-Expires: 120;refresher=uac', 'Min-SE: 120']
  const agreed = { in: 'Session-Expires', like: '120;refresher=uac' }
  const fs = FreeSwitch.called()
    .answer('200 OK', { headers: timer, body: sdp() })
    .expect('ACK')
    .request('UPDATE', { headers: refresh })
    .response(200, agreed)
    .request('INVITE', { headers: refresh, body: sdp() })
    .response(200, agreed)
    .ack()
  return incoming(t, fs.bye())
})

t.test('session timer of a call it makes: it refreshes by UPDATE and by re-INVITE', (t) => {
  const headers = ['Session-Expires: 1800;refresher=uac', 'Min-SE: 120']
  const agreed = { in: 'Session-Expires', like: '1800;refresher=uac' }
  const fs = FreeSwitch.calls({ headers, body: sdp() })
    .response(180)
    .response(200, agreed, { in: 'Require', like: 'timer' })
    .ack()
    .request('UPDATE', { headers })
    .response(200, agreed)
    .request('INVITE', { headers, body: sdp({ version: 2 }) })
    .response(200, agreed)
    .ack()
  return outgoing(t, fs.bye())
})

t.test('a session timer that is too short is refused, the next one taken', (t) => {
  const fs = FreeSwitch.called()
    .answer(...ok())
    .expect('ACK')
    .request('UPDATE', { headers: ['Session-Expires: 60;refresher=uac'] })
    .response(422, { in: 'Min-SE', like: '90' })
    .request('UPDATE', { headers: ['Session-Expires: 90;refresher=uac', 'Min-SE: 90'] })
    .response(200, { in: 'Session-Expires', like: '90;refresher=uac' })
  return incoming(t, fs.bye())
})

t.test('it wants its ringing acknowledged', (t) => {
  const fs = FreeSwitch.called({ in: 'Supported', like: '100rel' })
    .answer('180 Ringing', { headers: ['Require: 100rel', 'RSeq: 1'] })
    .expect('PRACK', { in: 'RAck', like: '1 1 INVITE' })
    .reply('200 OK')
    .answer(...ok())
  return incoming(t, fs.expect('ACK').bye())
})

t.test('it demands that ours is', (t) => {
  const fs = FreeSwitch.calls({ headers: ['Require: 100rel'], body: sdp() })
    .response(180, { in: 'Require', like: '100rel' }, { in: 'RSeq', like: '[0-9]+', as: 'rseq' })
    .request('PRACK', { headers: ['RAck: [$rseq] 1 INVITE'] })
    .response(200)
    .response(200)
    .ack()
  return outgoing(t, fs.bye())
})

t.test('deflect: REFER to another extension', async (t) => {
  const fs = FreeSwitch.called()
    .answer(...ok())
    .expect('ACK')
    .request('REFER', {
      headers: [`Refer-To: <sip:1002@127.0.0.1:${lab.other}>`, 'Referred-By: <sip:1001@127.0.0.1>'],
    })
    .response(202)
    .expect('BYE')
    .reply('200 OK')
  const target = FreeSwitch.called({ in: 'Referred-By', like: '1001' })
    .answer('180 Ringing')
    .answer(...ok())
    .expect('ACK')
  const call = await incoming(t, fs.xml(), target.bye())
  const record = await recordOf(lab, call)
  const told = arrows(record).filter((arrow) => arrow.startsWith('out NOTIFY'))
  t.same(told, ['out NOTIFY 100 Trying', 'out NOTIFY 200 OK'])
})
