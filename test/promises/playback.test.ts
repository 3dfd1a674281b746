import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sine } from '../../src/simulator/media/tone.ts'
import { octetsOf, wavFile } from '../support/audio-files.ts'
import { until } from '../support/until.ts'
import { startLab, TONES } from '../support/whole-lab.ts'
import { everyWay } from './ways.ts'

const ANNOUNCEMENT = 1500
const MUSIC = 2000

/** A WAV file of one second of a tone. */
function tone(t: Test, frequency: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-tone-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'tone.wav')
  writeFileSync(file, wavFile({ data: octetsOf(sine(frequency, -16, 8000)) }))
  return file
}

const music = { media: { hold_music: tone(t, MUSIC) } }

everyWay(t, 'music while the PBX holds without any', music, async (t, lab, { by, ...way }) => {
  const talk = await lab.talk(way)
  for (const how of ['inactive', 'zero'] as const) {
    t.equal(await talk.pbx.hold(how), 200, how)
    await talk.whatsappHears(MUSIC, 600)
    t.equal(await talk.pbx.resume(), 200)
    await talk.heard()
  }
  t.equal(await talk.pbx.hold('sendonly'), 200)
  await talk.whatsappHears(TONES.music, 600)
  // A PBX that might play something, and does not.
  talk.pbx.silent(true)
  await talk.whatsappHears(MUSIC)
  t.equal(await talk.pbx.resume(), 200)
  await talk.heard()
  await talk.finish(t, by)
})

for (const srtp of ['SDES', 'DTLS'] as const) {
  t.test(`${srtp}: nobody answers, and an announcement says so`, { buffered: true }, async (t) => {
    const inbound = { announcement: tone(t, ANNOUNCEMENT) }
    const lab = await startLab(t, { numbers: { one: { srtp, inbound } }, pbx: { refuse: 480 } })
    const talk = await lab.place({ direction: 'in', number: 'one' })
    await until('the answer', () => talk.whatsapp.state === 'answered')
    await talk.whatsappHears(ANNOUNCEMENT, 800)
    const record = await talk.ended()
    t.match(talk.whatsapp.outcome, { by: 'business' })
    talk.judge(t, record, { code: 'CALL_ANNOUNCED' })
    await lab.nothingHeld(t)
  })

  t.test(`${srtp}: an announcement while the overflow rings`, { buffered: true }, async (t) => {
    const inbound = { announcement: tone(t, ANNOUNCEMENT), overflow: 'other' }
    const lab = await startLab(t, {
      numbers: { one: { srtp, inbound } },
      pbx: { refuse: 480 },
      third: { ringMs: 1800 },
    })
    const talk = await lab.place({ direction: 'in', number: 'one' })
    await until('the answer', () => talk.whatsapp.state === 'answered')
    await talk.whatsappHears(ANNOUNCEMENT, 1200)
    const find = () => lab.third!.calls.find(({ from }) => from === talk.consumer)
    await until('the overflow', () => find()?.state === 'answered')
    talk.pbx = find()!
    await talk.heard()
    await talk.finish(t, 'whatsapp')
    await lab.nothingHeld(t)
  })
}
