import t from 'tap'
import { until } from '../support/until.ts'
import { digitsOf } from '../support/whole-talk.ts'
import { everyWay } from './ways.ts'

const g711 = { trunk: { codecs: ['opus', 'PCMA'] } }
everyWay(t, 'a session that changes in the midst of a digit', g711, async (t, lab, way) => {
  const talk = await lab.talk({ direction: way.direction, number: way.number })
  t.equal(await talk.pbx.changeCodec('PCMA'), 200)
  const changes = [
    () => talk.pbx.changePtime(40),
    () => talk.pbx.changePtime(20),
    () => talk.pbx.changePort(),
    () => talk.pbx.changeCodec('opus'),
    () => talk.pbx.changeCodec('PCMA'),
    () => talk.pbx.askOffer(),
  ]
  for (const [index, change] of changes.entries()) {
    talk.pbx.dtmf('7', 400)
    await until('the digit begins', () => talk.atWhatsApp.received.digits.length === index + 1)
    t.equal(await change(), 200)
    await talk.heard()
  }
  t.equal(digitsOf(talk.atWhatsApp), '7'.repeat(changes.length))
  await talk.finish(t, way.by)
})
