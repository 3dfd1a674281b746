import t from 'tap'
import { TONES } from '../support/whole-lab.ts'
import { everyWay } from './ways.ts'

everyWay(t, 'hold and resume, again and again', {}, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  for (const how of ['sendonly', 'inactive', 'zero', 'sendonly', 'inactive'] as const) {
    t.equal(await talk.pbx.hold(how), 200, how)
    if (how === 'sendonly') await talk.whatsappHears(TONES.music)
    else await talk.whatsappHearsSilence()
    t.equal(await talk.pbx.resume(), 200)
    await talk.heard()
  }
  await talk.finish(t, by)
})
