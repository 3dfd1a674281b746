import t, { type Test } from 'tap'
import { until } from '../support/until.ts'
import { startLab } from '../support/whole-lab.ts'
import { digitsOf, type Talk } from '../support/whole-talk.ts'
import { everyWay } from './ways.ts'

const DIGITS = '159*0#'

/** A machine that stands still in the midst of a digit may cut it short. */
/** Whole digits; a busy machine cuts what was sent late, and how much is proven on virtual time. */
function lengths(t: Test, talk: Talk, side: 'atPbx' | 'atWhatsApp', sent: number): void {
  const busy = (talk.atWhatsApp.promises?.stalled ?? 0) > 60
  for (const { duration } of talk[side].received.digits) {
    t.ok(duration <= sent + 40 && (busy || duration >= sent - 40), `${duration} of ${sent} ms`)
  }
}

/** Codecs of the PBX: passed through, and converted. */
for (const codec of ['opus', 'PCMA']) {
  const trunk = { codecs: [codec] }
  everyWay(t, `digits both ways beside ${codec}`, { trunk }, async (t, lab, { by, ...way }) => {
    const talk = await lab.talk(way)
    t.ok(lab.simulator.sip.dtmf(talk.whatsapp.id, DIGITS))
    await until('the digits at the PBX', () => digitsOf(talk.atPbx).length === DIGITS.length)
    t.equal(digitsOf(talk.atPbx), DIGITS)
    talk.pbx.dtmf(DIGITS, 160)
    await until('the digits at WhatsApp', () => digitsOf(talk.atWhatsApp).length === DIGITS.length)
    t.equal(digitsOf(talk.atWhatsApp), DIGITS)
    await talk.heard()
    lengths(t, talk, 'atPbx', 100)
    lengths(t, talk, 'atWhatsApp', 160)
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
    t.equal(digitsOf(talk.atPbx), '', 'and no events')
    await talk.heard()
    await talk.finish(t, 'whatsapp')
  }
  await lab.nothingHeld(t)
})
