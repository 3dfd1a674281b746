import { createSocket } from 'node:dgram'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeHep, type HepPacket } from '../support/hep-decode.ts'
import { readPcap } from '../support/pcap-read.ts'
import { otlpCollector } from '../telemetry/support.ts'
import { businessTalk, metaBye, pbxBye, userTalk } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { type Lab, printsNoSecret, withLab } from './support/lab.ts'

interface Message {
  t: number
  leg: string
  dir: string
  transport: string
  what: string
  note?: string
  text: string
}

/** A HEP collector on a port of its own. */
async function collector() {
  const packets: HepPacket[] = []
  const waiting: (() => void)[] = []
  const socket = createSocket('udp4')
  socket.on('message', (bytes) => {
    packets.push(decodeHep(bytes))
    for (const look of waiting) look()
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    packets,
    port: socket.address().port,
    until: (done: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (done()) resolve()
        }
        waiting.push(look)
        look()
      }),
    close: () => socket.close(),
  }
}

/** The messages of a call, once its last one is there: they come a moment after it. */
async function messagesOf(lab: Lab, id: string, last: string): Promise<Message[]> {
  for (;;) {
    const response = await lab.http(`/api/v1/calls/${id}/messages`)
    const { messages = [] } = (await response.json()) as { messages?: Message[] }
    if (messages.filter(({ what }) => what === last).length > 1) return messages
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function run(lab: Lab, ...args: string[]) {
  const cli = new Causeway([...args, '--url', lab.at.http, '--token-file', join(lab.folder, 'key')])
  return { code: await cli.exited, ...cli, out: cli.stdout, err: cli.stderr }
}

t.test('both legs of a call: API, ladder, bodies, capture file, HEP, spans, log', async (t) => {
  const homer = await collector()
  const otel = await otlpCollector()
  let id = ''
  const options = {
    edit: (config: Record<string, unknown>) => {
      const hep = { target: `udp://127.0.0.1:${homer.port}`, id: 77, password: 'hepNobodyMaySee' }
      config['trace'] = { messages: 'calls', hep }
      config['telemetry'] = { endpoint: otel.url, token: 'otelNobodyMaySee' }
      config['log'] = { level: 'trace', numbers: 'masked' }
    },
  }
  await withLab(t, options, async (lab) => {
    writeFileSync(join(lab.folder, 'key'), 'apiTokenNobodyMaySee')
    const talk = await userTalk(lab)
    await metaBye(lab, talk)
    const { calls } = (await (await lab.http('/api/v1/calls')).json()) as {
      calls: { id: string }[]
    }
    id = calls[0]!.id
    const messages = await messagesOf(lab, id, 'BYE')
    await messagesOf(lab, id, '200 OK')

    const steps = messages.map(
      ({ leg, dir, transport, what }) => `${leg} ${dir} ${transport} ${what}`,
    )
    t.same(
      steps.filter((step) => !step.includes('100 Trying')).slice(0, 6),
      [
        'whatsapp in tls INVITE',
        'whatsapp out tls 407 Proxy Authentication Required',
        'whatsapp in tls ACK',
        'whatsapp in tls INVITE',
        'pbx out udp INVITE',
        'pbx in udp 200 OK',
      ],
      'the INVITE that was challenged is there too',
    )
    t.ok(messages[0]!.t < 0, 'it came before the call')
    const offer = messages.find(({ leg, what }) => leg === 'pbx' && what === 'INVITE')!
    t.match(offer.note, /opus.*, SDES, sendrecv/)
    const text = messages.map((message) => message.text).join('\n')
    const keys = [...`${talk.arrived.raw}${talk.invite.raw}`.matchAll(/inline:([\w+/=]{20,})/g)]
    t.ok(keys.length >= 2)
    for (const [, key] of keys) t.notOk(text.includes(key!), 'no key is told')
    t.notMatch(text, /response="[0-9a-f]/)
    t.match(text, /a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(REDACTED){5}/)
    printsNoSecret(t, text)

    const show = await run(lab, 'calls', 'show', id, '--bodies')
    t.equal(show.code, 0)
    t.match(show.out, /│ 1 INVITE ─+▶│ +│\n +│ {3}opus, SDES, sendrecv +│/)
    t.match(
      show.out,
      /^1 {2}from WhatsApp {2}-?[\d.]+ ms {2}tls 127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+/m,
    )
    t.match(show.out, /^ {4}INVITE sip:\+\*{10}23@/m)
    const json = await run(lab, 'calls', 'show', id, '--bodies', '--json')
    t.equal(JSON.parse(json.out).messages.length, messages.length)

    const file = join(lab.folder, 'call.pcap')
    const pcap = await run(lab, 'calls', 'pcap', id, '-o', file)
    t.equal(pcap.code, 0, pcap.err)
    const packets = readPcap(readFileSync(file))
    t.same(
      packets.map((packet) => packet.text),
      messages.map((message) => message.text),
    )
    t.ok(packets.every(({ sound }) => sound))
    const refused = await run(lab, 'calls', 'pcap', id, '-o', join(lab.folder, 'no', 'x.pcap'))
    t.equal(refused.code, 1)
    t.match(refused.err, 'error[APP_FILE_UNWRITABLE]')

    await homer.until(
      () => homer.packets.filter(({ correlation }) => correlation === id).length >= messages.length,
    )
    const [first] = homer.packets.filter(({ correlation }) => correlation === id)
    t.match(first, { kind: 1, agent: 77, key: 'hepNobodyMaySee', family: 2, protocol: 6 })
    t.same(
      homer.packets.filter(({ correlation }) => correlation === id).map(({ payload }) => payload),
      messages.map((message) => message.text),
      'HEP gets what the API shows',
    )
    const metrics = await (await lab.http('/metrics')).text()
    t.match(metrics, /^causeway_trace_hep_sent_total [1-9]/m)
    t.match(metrics, /^causeway_trace_messages_lost_total\{reason="memory"\} 0/m)

    const lines = lab.up.stdout.split('\n').filter((line) => line.includes(`"call":"${id}"`))
    t.match(JSON.parse(lines.find((line) => line.includes('call started'))!), {
      direction: 'user-initiated',
      number: 'support',
      trunk: 'main',
      wacid: /^wacid#/,
    })
    t.ok(lines.filter((line) => line.includes('"SIP message"')).length >= 8)
    t.notMatch(
      lines.join('\n'),
      /441632960123|33199001234|HBgL/,
      'numbers are masked, in bodies too',
    )
    for (const [, key] of keys) t.notOk(lab.up.stdout.includes(key!), 'no key is logged')

    const outbound = await businessTalk(lab)
    await pbxBye(lab, outbound)
    const list = await (await lab.http('/api/v1/calls?direction=business-initiated')).json()
    const out = await messagesOf(lab, (list as { calls: { id: string }[] }).calls[0]!.id, 'BYE')
    t.same(
      out
        .filter(({ what }) => what === 'INVITE')
        .map(({ leg, dir, transport }) => `${leg} ${dir} ${transport}`),
      ['pbx in udp', 'whatsapp out tls', 'whatsapp out tls'],
      'WhatsApp has challenged it',
    )

    // Switched off under way: nothing is kept, and it is said why.
    lab.rewrite((config) => {
      config.trace = { messages: 'off' }
    })
    const reload = await lab.http('/api/v1/reload', { method: 'POST' })
    t.match(await reload.json(), { ok: true, applied: ['trace.messages', 'trace.hep'] })
    const off = await run(lab, 'calls', 'show', id, '--bodies')
    t.equal(off.code, 1)
    t.match(off.err, 'error[APP_MESSAGES_OFF]')
    t.equal((await run(lab, 'calls', 'show', id)).code, 0, 'the ladder stays')
    t.equal((await lab.http(`/api/v1/calls/${id}/pcap`)).status, 409)
    t.equal((await lab.http('/api/v1/calls/nobody/messages')).status, 404)
  })
  homer.close()
  await otel.close()
  const spans = otel.spans.filter(({ attributes }) => attributes['causeway.call.id'] === id)
  t.match(spans, [{ name: 'call', attributes: { 'causeway.call.result': 'completed' } }])
  const names = otel.spans.filter(({ traceId }) => traceId === spans[0]!.traceId)
  t.same(
    names.map(({ name }) => name).sort(),
    ['INVITE pbx', 'answer', 'call', 'prepare', 'talk', 'teardown'],
    'the trace is there although the process has ended',
  )
})
