import t from 'tap'
import { everyWay } from './ways.ts'

const trunk = { codecs: ['opus', 'PCMA', 'PCMU'] }

everyWay(t, 'codecs and packet times come and go', { trunk }, async (t, lab, way) => {
  const { by, ...placing } = way
  const talk = await lab.talk(placing)
  t.equal(talk.record.media?.codec.pbx, 'opus')

  for (const codec of ['PCMA', 'PCMU'] as const) {
    t.equal(await talk.pbx.changeCodec(codec), 200)
    await talk.heard()
    t.same(talk.record.media?.codec, { whatsapp: 'opus', pbx: codec })
    t.ok(((await lab.metric('media_transcoding_calls')) ?? 0) > 0, 'it is converted')
  }
  for (const ptime of [10, 30, 40, 60, 20]) {
    t.equal(await talk.pbx.changePtime(ptime), 200, `ptime ${ptime}`)
    await talk.heard()
  }
  t.equal(await talk.pbx.changeCodec('opus'), 200)
  await talk.heard()
  t.equal(talk.record.media?.codec.pbx, 'opus')
  const record = await talk.finish(t, by)
  t.equal(record.report?.transcoding, false, 'not any more')
})
