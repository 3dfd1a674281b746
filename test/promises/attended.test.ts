import t from 'tap'
import { until } from '../support/until.ts'
import { TONES } from '../support/whole-lab.ts'
import { extension, extensionFor, transferred } from './transfers.ts'
import { everyWay } from './ways.ts'

const third = { third: {} }

everyWay(t, 'attended transfer by REFER', third, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  const user = extensionFor(talk)
  t.equal(await talk.pbx.hold('sendonly'), 200)
  const consulted = lab.pbx.call(`9${user}`, { through: lab.third!.uri })
  await consulted.until(({ state }) => state === 'answered')
  await talk.whatsappHears(TONES.music)

  const { replaces } = consulted
  t.equal(await talk.pbx.transfer(extension(lab.third!, user), consulted), 202)
  await transferred(t, lab, talk, user)
  t.equal(talk.pbx.headers['replaces'], replaces)
  consulted.hangup()
  await talk.finish(t, by)
})

everyWay(t, 'attended transfer by Replaces', third, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  const former = talk.pbx
  t.equal(await former.hold('inactive'), 200)
  const taking = lab.third!.call('pickup', { headers: { Replaces: former.replaces } })
  await taking.until(({ state }) => state === 'answered')
  talk.pbx = taking
  await until('the end of the former leg', () => former.state === 'ended')
  await talk.whatsappHears(TONES.outgoing)
  await talk.pbxHears(TONES.whatsapp)
  await talk.finish(t, by)
})

everyWay(t, 'a transfer that fails', { third: { refuse: 486 } }, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  t.equal(await talk.pbx.transfer(extension(lab.third!, extensionFor(talk))), 202)
  await until('how it went', () => talk.pbx.notifications.length >= 2)
  t.match(talk.pbx.notifications.at(-1), /^SIP\/2.0 486 /)
  t.equal(talk.pbx.state, 'answered', 'the leg goes on')
  await talk.heard()
  await talk.finish(t, by)
})
