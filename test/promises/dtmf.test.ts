import t, { type Test } from 'tap'
import { startLab, until } from '../support/whole-lab.ts'
import type { Talk } from '../support/whole-talk.ts'
import { everyWay } from './ways.ts'

const DIGITS = '159*0#'

const heardBy = (media: Talk['atPbx']): string =>
  media.received.digits.map(({ digit }) => digit).join('')

function lengths(t: Test, media: Talk['atPbx'], sent: number): void {
  for (const { duration } of media.received.digits) {
    t.ok(Math.abs(duration - sent) <= 40, `${duration} of ${sent} ms`)
  }
}

/** Codecs of the PBX: passed through, and converted. */
for (const codec of ['opus', 'PCMA']) {
  const trunk = { codecs: [codec] }
  everyWay(t, `digits both ways beside ${codec}`, { trunk }, async (t, lab, { by, ...way }) => {
    const talk = await lab.talk(way)
    t.ok(lab.simulator.sip.dtmf(talk.whatsapp.id, DIGITS))
    await until('the digits at the PBX', () => heardBy(talk.atPbx).length === DIGITS.length)
    t.equal(heardBy(talk.atPbx), DIGITS)
    talk.pbx.dtmf(DIGITS, 160)
    await until('the digits at WhatsApp', () => heardBy(talk.atWhatsApp).length === DIGITS.length)
    t.equal(heardBy(talk.atWhatsApp), DIGITS)
    await talk.heard()
    lengths(t, talk.atPbx, 100)
    lengths(t, talk.atWhatsApp, 160)
    const record = await talk.finish(t, by)
    const seen = (side: string) => record.report?.dtmf.filter((one) => one.side === side)
    for (const side of ['whatsapp', 'pbx']) {
      t.equal(
        seen(side)
          ?.map(({ digit }) => digit)
          .join(''),
        DIGITS,
        `told of ${side}`,
      )
    }
  })
}

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
  t.equal(heardBy(talk.atWhatsApp), '7'.repeat(changes.length))
  await talk.finish(t, way.by)
})

t.test('a trunk with dtmf: info gets INFO', { buffered: true }, async (t) => {
  const lab = await startLab(t, { trunk: { dtmf: 'info' } })
  for (const direction of ['in', 'out'] as const) {
    const talk = await lab.talk({ direction, number: 'sdes' })
    lab.simulator.sip.dtmf(talk.whatsapp.id, '12#')
    await until('INFO', () => talk.pbx.infos.length === 3)
    t.same(
      talk.pbx.infos.map((body) => /^Signal=(.)\r\nDuration=\d+$/.exec(body)?.[1]),
      ['1', '2', '#'],
    )
    t.equal(heardBy(talk.atPbx), '', 'and no events')
    await talk.heard()
    await talk.finish(t, 'whatsapp')
  }
  await lab.nothingHeld(t)
})
