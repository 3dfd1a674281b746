import t from 'tap'
import { starvation } from '../support/starvation.ts'
import { until } from '../support/until.ts'
import { startLab } from '../support/whole-lab.ts'
import { everyWay } from './ways.ts'

everyWay(t, 'a PBX whose power fails', {}, async (t, lab, way) => {
  const talk = await lab.talk({ direction: way.direction, number: way.number })
  talk.pbx.vanish()
  await talk.whatsappHearsSilence(1000)
  const at = performance.now()
  await until('the verdict', () => talk.record.verdicts.length > 0)
  t.ok(performance.now() - at < 7000 + 2 * starvation(), 'within seconds')
  const [verdict] = talk.record.verdicts
  t.match(verdict, { code: 'MEDIA_SILENT_PBX', side: 'pbx', clearedAt: undefined })
  t.match(verdict!.detail, /^no packet from 127\.[\d.]+:\d+ for \d+ s; \d+ before$/)
  t.match(verdict!.fix, /PBX/)
  t.match(await lab.instance.operations.calls.report(talk.record.id), { verdict: 'one-way' })
  await talk.whatsappHearsSilence(1000)
  t.equal(talk.whatsapp.state, 'answered', 'WhatsApp does not notice')
  await talk.finish(t, 'whatsapp', { verdict: 'one-way', verdicts: ['MEDIA_SILENT_PBX'] })
})

everyWay(t, 'a PBX that is silent for long, and speaks again', {}, async (t, lab, way) => {
  const talk = await lab.talk({ direction: way.direction, number: way.number })
  talk.pbx.silent(true)
  await until('the verdict', () => talk.record.verdicts.length > 0)
  talk.pbx.silent(false)
  await talk.heard()
  await until('its end', () => talk.record.verdicts[0]?.clearedAt !== undefined)
  await talk.finish(t, way.by, { verdicts: ['MEDIA_SILENT_PBX'] })
})

t.test('more calls to be converted than may be', { buffered: true }, async (t) => {
  const media = { transcoding: 1 }
  const lab = await startLab(t, { trunk: { codecs: ['opus', 'PCMA'] }, media })
  const first = await lab.talk({ direction: 'in', number: 'sdes' })
  t.equal(await first.pbx.changeCodec('PCMA'), 200)
  t.equal(await lab.metric('media_transcoding_calls'), 1)
  const second = await lab.talk({ direction: 'out', number: 'sdes' })
  t.equal(await second.pbx.changeCodec('PCMA'), 488)
  await second.heard()
  t.equal(await first.pbx.changeCodec('opus'), 200)
  t.equal(await lab.metric('media_transcoding_calls'), 0)
  t.equal(await second.pbx.changeCodec('PCMA'), 200, 'there is room again')
  await Promise.all([first.heard(), second.heard()])
  await first.finish(t, 'whatsapp')
  await second.finish(t, 'pbx')
  await lab.nothingHeld(t)
})

t.test('a new call that would have to be converted', { buffered: true }, async (t) => {
  const lab = await startLab(t, { trunk: { codecs: ['PCMA'] }, media: { transcoding: 1 } })
  const talk = await lab.talk({ direction: 'in', number: 'sdes' })
  const refused = await lab.place({ direction: 'out', number: 'sdes' })
  await until('the refusal', () => refused.pbx.state === 'ended')
  t.equal(refused.pbx.status, 488)
  t.match(refused.pbx.headers, { warning: /MEDIA_TRANSCODING_LIMIT/ })
  await until('the end', () => refused.record.state === 'ended')
  t.equal(refused.record.cause?.code, 'MEDIA_TRANSCODING_LIMIT')
  t.same(refused.whatsapp.violations, [])
  await talk.heard()
  await talk.finish(t, 'pbx')
  await lab.nothingHeld(t)
})
