import t from 'tap'
import { until } from '../support/until.ts'
import { startLab } from '../support/whole-lab.ts'
import { everyWay } from './ways.ts'

const trunk = { codecs: ['opus', 'PCMA'] }

everyWay(t, 'offers of every kind', { trunk }, async (t, lab, { by, direction, number }) => {
  const talk = await lab.talk({ direction, number, lateOffer: direction === 'out' })
  t.equal(await talk.pbx.askOffer(), 200, 'a re-INVITE without SDP')
  await talk.heard()
  t.equal(await talk.pbx.update({ direction: 'sendonly' }), 200, 'UPDATE holds')
  t.equal(await talk.pbx.update({}), 200)
  await talk.heard()
  t.equal(await talk.pbx.update({ codecs: ['PCMA'] }), 200, 'UPDATE takes another codec')
  await talk.heard()
  t.equal(talk.record.media?.codec.pbx, 'PCMA')
  t.equal(await talk.pbx.modify({ codecs: ['PCMU'] }), 488, 'one the trunk has not')
  await talk.heard()
  t.equal(await talk.pbx.askOffer(), 200)
  t.equal(await talk.pbx.modify({}), 200, 'a refresh')
  await talk.heard()
  await talk.finish(t, by)
})

for (const early of ['same', 'moves'] as const) {
  t.test(`media before the answer (${early})`, { buffered: true }, async (t) => {
    const loud = { early_media: true }
    const lab = await startLab(t, {
      numbers: {
        sdes: { srtp: 'SDES' },
        dtls: { srtp: 'DTLS' },
        early: { srtp: 'SDES', inbound: loud },
        'early-dtls': { srtp: 'DTLS', inbound: loud },
      },
      pbx: { early, ringMs: 900 },
      behaviour: { earlyMedia: 'accept' },
    })
    for (const number of ['sdes', 'dtls', 'early', 'early-dtls']) {
      const talk = await lab.place({ direction: 'in', number })
      await until('the tone of the PBX', () => (talk.atPbx?.sent.packets ?? 0) > 20)
      t.not(talk.whatsapp.state, 'answered')
      const wanted = number.startsWith('early')
      const packets = talk.whatsapp.media?.verdict().received.packets ?? 0
      if (wanted) t.ok(packets > 5, `${number}: WhatsApp hears it ring: ${packets}`)
      else t.equal(packets, 0, `${number}: not a packet`)
      await talk.answered()
      await talk.heard()
      if (!wanted) t.equal(talk.atWhatsApp.earlyBy, undefined)
      await talk.finish(t, 'whatsapp')
    }
    await lab.nothingHeld(t)
  })
}
