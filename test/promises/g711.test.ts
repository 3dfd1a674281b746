import t from 'tap'
import { everyWay } from './ways.ts'

const numbers = {
  sdes: { srtp: 'SDES', codecs: ['PCMA', 'PCMU'] },
  dtls: { srtp: 'DTLS', codecs: ['PCMA', 'PCMU'] },
} as const
const options = {
  numbers: structuredClone(numbers) as never,
  trunk: { codecs: ['PCMA', 'PCMU'] },
}

everyWay(t, 'a number with G.711, passed through', options, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  t.same(talk.record.media?.codec, { whatsapp: 'PCMA', pbx: 'PCMA' })
  t.equal(await lab.metric('media_transcoding_calls'), 0)
  for (const ptime of [10, 30, 40, 60, 20]) {
    t.equal(await talk.pbx.changePtime(ptime), 200, `ptime ${ptime}`)
    await talk.heard()
  }
  t.equal(await talk.pbx.hold('inactive'), 200)
  await talk.whatsappHearsSilence()
  t.equal(await talk.pbx.resume(), 200)
  talk.pbx.changeSsrc()
  await talk.heard()
  t.equal(await talk.pbx.changeCodec('PCMU'), 200, 'one law to the other')
  await talk.heard()
  t.same(talk.record.media?.codec, { whatsapp: 'PCMA', pbx: 'PCMU' })
  t.equal(await lab.metric('media_transcoding_calls'), 0, 'which needs no place')
  t.equal(await talk.pbx.changeCodec('PCMA', 'PCMU'), 200)
  await talk.heard()
  await talk.finish(t, by)
})
