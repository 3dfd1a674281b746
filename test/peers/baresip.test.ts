import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import { type Baresip, recordedTone, startBaresip } from './support/baresip.ts'
import { causewayPorts } from './support/causeway.ts'
import { createNamespace } from './support/netns.ts'
import { rtpRange } from './support/ports.ts'
import { type RelayLab, startRelayLab } from './support/relay-lab.ts'
import { until } from './support/until.ts'

/** Voices in Hz. */
const [CONSUMER, BARESIP] = [440, 1000]

t.setTimeout(120_000)
// baresip never uses loopback for ICE: it gets an address of its own.
const namespace = createNamespace()
t.teardown(() => namespace.remove())

const trunks = [
  { srtp: 'sdes', account: ';mediaenc=srtp-mand' },
  { srtp: 'dtls', account: ';mediaenc=dtls_srtp;medianat=ice' },
] as const

for (const { srtp, account } of trunks) {
  t.test(`baresip as the PBX, ${srtp === 'dtls' ? 'DTLS-SRTP with ICE' : 'SDES'}`, async (t) => {
    const baresip = await startBaresip({
      address: namespace.there,
      command: namespace.command,
      account: `${account};audio_codecs=opus/48000/2`,
      tone: BARESIP,
    })
    t.teardown(() => baresip.stop())
    const ports = await causewayPorts()
    const { first, last } = rtpRange(400)
    const lab = await startRelayLab(t, {
      ports,
      listen: namespace.here,
      media: { relay: 'embedded', listen: namespace.here, ports: `${first}-${last}` },
      pbx: { host: namespace.there, port: baresip.sipPort, user: 'baresip' },
      trunk: { srtp, codecs: ['opus'] },
    })

    t.test('WhatsApp calls', async (t) => {
      const call = lab.place()
      await call.until(({ state }) => state === 'answered')
      await conversation(t, lab, baresip, call)
    })

    t.test('baresip calls', async (t) => {
      const coming = lab.expect('+33199007001')
      await baresip.dial(`sip:+33199007001@${namespace.here}:${ports.pbx}`)
      await conversation(t, lab, baresip, await coming)
    })

    t.test('nothing is left', async () => {
      await until('no call', async () => {
        const metrics = await lab.causeway.metrics()
        return metrics.get('causeway_media_relay_calls') === 0
      })
    })
  })
}

/** A second of talk: the simulator knows what the consumer heard, the recording what baresip did. */
async function conversation(
  t: Test,
  lab: RelayLab,
  baresip: Baresip,
  call: CallRecord,
): Promise<void> {
  await lab.hears(call, BARESIP)
  await lab.hears(call, BARESIP)
  lab.simulator.sip.hangup(call.id)
  await call.until(() => false)
  const heard = (): number =>
    Math.max(0, ...baresip.heard().map((file) => recordedTone(file, CONSUMER)))
  await until('the recording is complete', () => heard() > 500)
  t.ok(heard() > 500, `baresip heard the consumer for ${heard()} ms`)
  t.same(call.violations, [], "WhatsApp's rules were kept")
  baresip.forget()
}
