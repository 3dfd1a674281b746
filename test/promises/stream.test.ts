import t from 'tap'
import { everyWay } from './ways.ts'

everyWay(t, 'a PBX that pauses, and begins new streams elsewhere', {}, async (t, lab, way) => {
  const { by, ...placing } = way
  const talk = await lab.talk(placing)

  talk.pbx.changeSsrc()
  await talk.heard()
  t.equal(await talk.pbx.changePort(), 200)
  await talk.heard()
  talk.pbx.changeSsrc()
  t.equal(await talk.pbx.changePort(), 200)
  await talk.heard()

  // Voice activity detection: nobody has been told of the silence. From 3 s on it is a verdict.
  talk.pbx.silent(true)
  await talk.whatsappHearsSilence(1800)
  talk.pbx.silent(false)
  await talk.heard()
  await talk.finish(t, by)
})
