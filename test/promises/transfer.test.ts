import t from 'tap'
import { arriving, extension, extensionFor, transferred } from './transfers.ts'
import { everyWay } from './ways.ts'

const third = { third: {} }

everyWay(t, 'blind transfer', third, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  const user = extensionFor(talk)
  t.equal(await talk.pbx.transfer(extension(lab.third!, user)), 202)
  await transferred(t, lab, talk, user)

  // The new leg is as free as the first.
  t.equal(await talk.pbx.hold('inactive'), 200)
  await talk.whatsappHearsSilence()
  t.equal(await talk.pbx.resume(), 200)
  await talk.heard()
  await talk.finish(t, by)
})

everyWay(t, 'transfer to another extension, and on', third, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  const former = talk.pbx
  const user = extensionFor(talk)
  t.equal(await former.transfer(extension(lab.pbx, user)), 202)
  talk.pbx = await arriving(lab.pbx, user)
  await talk.heard()
  t.equal(former.state, 'ended')
  t.equal(await talk.pbx.transfer(extension(lab.third!, user)), 202)
  await transferred(t, lab, talk, user)
  await talk.finish(t, by)
})
