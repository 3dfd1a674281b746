import t from 'tap'
import { DigestCounters } from '../../../src/bridge/digest/counters.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { bridgeLab, labConfig, settle } from '../../support/bridge-lab.ts'
import { trunkConfig } from '../../support/configs.ts'

t.test('outcomes are counted by side, role and result; what is handed out is a copy', async (t) => {
  const counters = new DigestCounters()
  counters.checked('whatsapp', 'good')
  counters.checked('whatsapp', 'good')
  counters.checked('pbx', 'wrong')
  counters.answered('whatsapp', 'refused')
  const counts = counters.counts()
  t.same(counts, [
    { side: 'whatsapp', role: 'checked', result: 'good', count: 2 },
    { side: 'pbx', role: 'checked', result: 'wrong', count: 1 },
    { side: 'whatsapp', role: 'answered', result: 'refused', count: 1 },
  ])
  counts[0]!.count = 9
  t.equal(counters.counts()[0]?.count, 2)
})

const challenged = {
  whatsapp: { ...labConfig().whatsapp, challenge: true },
  trunks: [
    {
      ...trunkConfig(),
      accept: {
        ...trunkConfig().accept,
        from: [],
        username: 'pbx',
        password: new Secret('in'),
      },
    },
  ],
}

t.test('what WhatsApp and the PBX send', async (t) => {
  const lab = await bridgeLab(challenged)
  lab.fromWhatsApp()
  lab.fromPbx()
  const forged =
    'Digest username="x", realm="sip.example.com", nonce="old", uri="sip:a", response="00"'
  lab.fromWhatsApp({ headers: { 'proxy-authorization': forged } })
  lab.fromPbx({ headers: { 'proxy-authorization': forged.replace('"x"', '"nobody"') } })
  lab.credentials.known.clear()
  lab.fromWhatsApp({ headers: { 'proxy-authorization': forged } })
  await settle()
  t.same(
    lab.bridge
      .digests()
      .map(({ side, role, result, count }) => `${side} ${role} ${result} ${count}`)
      .sort(),
    [
      'pbx checked challenged 1',
      'pbx checked wrong 1',
      'whatsapp checked challenged 1',
      'whatsapp checked stale 1',
      'whatsapp checked unknown 1',
    ],
  )
})

t.test('what we send: asked, then unasked, then refused', async (t) => {
  const lab = await bridgeLab()
  const value = 'Digest realm="wa.meta.vc", nonce="n1", algorithm=MD5, qop="auth"'
  const challenge = { headers: { 'proxy-authenticate': value } }
  const counts = () =>
    lab.bridge
      .digests()
      .filter(({ role }) => role === 'answered')
      .map(({ side, result, count }) => `${side} ${result} ${count}`)
  lab.fromPbx()
  await settle()
  lab.port.last!.respond(407, 'Proxy Authentication Required', challenge)
  await settle()
  t.same(counts(), ['whatsapp challenged 1'])
  lab.port.last!.respond(407, 'Proxy Authentication Required', challenge)
  await settle()
  await settle()
  t.same(counts(), ['whatsapp challenged 1', 'whatsapp refused 1'])
})
