import t, { type Test } from 'tap'
import { SipPeer } from '../support/sip-peer.ts'
import { causewayPorts } from './support/causeway.ts'
import { startBrowser } from './support/chromium.ts'
import { rtpRange } from './support/ports.ts'
import { startRelayLab } from './support/relay-lab.ts'
import { startRtpengine } from './support/rtpengine.ts'
import { until } from './support/until.ts'

// A scripted SIP peer whose descriptions come from a browser stands for a PBX that speaks DTLS-SRTP
// with ICE.
t.setTimeout(120_000)
const browser = await startBrowser()
t.teardown(() => browser.close())

for (const relay of ['embedded', 'rtpengine'] as const) {
  t.test(`over the relay ${relay}`, async (t) => {
    const ports = await causewayPorts()
    const pbx = await SipPeer.open()
    t.teardown(() => pbx.close())
    const { first, last } = rtpRange(400)
    let media: object = { relay, listen: '127.0.0.1', ports: `${first}-${last}` }
    if (relay === 'rtpengine') {
      const engine = await startRtpengine()
      t.teardown(() => engine.stop())
      media = { relay, rtpengine: [`udp://127.0.0.1:${engine.ngPort}`] }
    }
    const lab = await startRelayLab(t, {
      ports,
      media,
      pbx: { port: pbx.port },
      trunk: { srtp: 'dtls', codecs: ['opus'] },
    })
    const server = { host: '127.0.0.1', port: ports.pbx }

    /** Sound on both sides: the browser's energy rises, and the consumer hears its beeps. */
    async function heard(t: Test, call: ReturnType<typeof lab.place>): Promise<void> {
      await until('the browser hears', async () => (await browser.figures()).energy > 0.01).catch(
        async (cause: unknown) => {
          const seen = { call: call.state, broken: call.violations, ...(await browser.figures()) }
          throw new Error(JSON.stringify(seen), { cause })
        },
      )
      const sound = (): number => {
        const { tones = [], other = 0 } = call.view().media?.received ?? {}
        return tones.reduce((sum, { ms }) => sum + ms, other)
      }
      const before = sound()
      await until('the consumer hears the beeps', () => sound() >= before + 200)
      const figures = await browser.figures()
      t.match(figures, { ice: /connected|completed/, dtls: 'connected', codec: 'audio/opus' })
      t.comment(JSON.stringify(figures))
      t.same(call.violations, [], "WhatsApp's rules were kept")
    }

    t.test('WhatsApp calls: the browser answers our offer', async (t) => {
      const call = lab.place()
      const invite = await pbx.expect('INVITE')
      const body = await browser.answer(invite.body)
      pbx.respond(invite, 200, {
        tag: 'browser',
        headers: { Contact: pbx.contact, 'Content-Type': 'application/sdp' },
        body,
      })
      await pbx.expect('ACK')
      await call.until(({ state }) => state === 'answered')
      await heard(t, call)
      lab.simulator.sip.hangup(call.id)
      const bye = await pbx.expect('BYE')
      pbx.respond(bye, 200)
      t.equal(call.state, 'ended')
    })

    t.test('the browser calls: it takes our answer', async (t) => {
      const coming = lab.expect('+33199006001')
      const dialog = pbx.dialog(server, { uri: `sip:+33199006001@127.0.0.1:${ports.pbx}` })
      dialog.request('INVITE', { body: await browser.offer() })
      const ok = await pbx.expect(({ status }) => status >= 200)
      t.equal(ok.status, 200, ok.header('warning'))
      dialog.learn(ok)
      dialog.request('ACK')
      await browser.complete(ok.body)
      const call = await coming
      await heard(t, call)
      dialog.request('BYE')
      await pbx.expect((message) => message.status === 200 && message.method === 'BYE')
      await call.until(() => false)
    })

    t.test('nothing is left', async (t) => {
      await until('no call', async () => {
        const metrics = await lab.causeway.metrics()
        return metrics.get('causeway_media_relay_calls') === 0
      })
      t.notOk(pbx.has('BYE'), 'nor a message')
    })
  })
}
