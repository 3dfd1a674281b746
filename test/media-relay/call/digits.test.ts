import t from 'tap'
import { legMedia, legShape, PCMA } from '../../support/rtp-peer.ts'
import { CallLab, description, type Sent } from './lab.ts'

const EVENT = 126

/** A digit of the PBX in its midst; `more` sends its next packet, `end` its last. */
class Digit {
  readonly #lab: CallLab
  readonly #timestamp: number
  #duration = 0

  constructor(lab: CallLab) {
    this.#lab = lab
    this.#timestamp = lab.pbx.timestamp
  }

  more(end = false): void {
    if (!end || this.#duration === 0) this.#duration += 160
    const payload = Buffer.from([5, end ? 0x8a : 10, this.#duration >> 8, this.#duration & 0xff])
    const marker = this.#duration === 160
    this.#lab.pbx.receive(payload, { payloadType: EVENT, timestamp: this.#timestamp, marker }, 0)
  }

  /** Packets of events as WhatsApp got them. */
  get sent(): Sent[] {
    return this.#lab.whatsapp.sent.filter(({ payloadType }) => payloadType === EVENT)
  }

  /** What of them says that they are one digit: timestamps, markers, ends. */
  get shape(): { timestamps: number; markers: number; ends: number } {
    const { sent } = this
    return {
      timestamps: new Set(sent.map(({ timestamp }) => timestamp)).size,
      markers: sent.filter(({ marker }) => marker).length,
      ends: sent.filter(({ payload }) => payload[1]! >= 0x80).length,
    }
  }
}

const WHOLE = { timestamps: 1, markers: 1, ends: 3 }

async function inTheMidst(): Promise<{ lab: CallLab; digit: Digit }> {
  const lab = await CallLab.open({ transcoding: 1 })
  await lab.connect()
  lab.call.start()
  lab.run(400, () => lab.pbx.receive('talk'))
  const digit = new Digit(lab)
  lab.run(100, () => digit.more())
  return { lab, digit }
}

/** Sequence numbers without a hole, timestamps that never go back. */
function isSteady(sent: readonly Sent[]): boolean {
  return sent.every((packet, i) => {
    const before = sent[i - 1]
    if (!before) return true
    const step = (packet.sequence - before.sequence) & 0xffff
    return step === 1 && ((packet.timestamp - before.timestamp) | 0) >= 0
  })
}

t.test('a digit goes on through a change of codec', async (t) => {
  const { lab, digit } = await inTheMidst()
  await lab.call.answer('pbx', description(), legShape(), legMedia({ audio: PCMA }))
  lab.run(100, () => digit.more())
  for (let n = 0; n < 3; n++) digit.more(true)
  t.same(digit.shape, WHOLE)
  t.equal(digit.sent.length, 13)
  t.ok(isSteady(lab.whatsapp.sent))
})

t.test('packets of a digit that are late are waited for', async (t) => {
  const { lab, digit } = await inTheMidst()
  lab.run(180)
  digit.more()
  lab.run(180)
  for (let n = 0; n < 3; n++) digit.more(true)
  lab.run(400, () => lab.pbx.receive('talk'))
  t.same(digit.shape, WHOLE)
  t.ok(isSteady(lab.whatsapp.sent))
})

t.test('a digit whose source falls silent is ended', async (t) => {
  const { lab, digit } = await inTheMidst()
  await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'inactive' }))
  lab.run(1000)
  t.same(digit.shape, WHOLE)
  const { length } = digit.sent
  await lab.call.answer('pbx', description(), legShape(), legMedia())
  digit.more()
  digit.more(true)
  t.equal(digit.sent.length, length, 'what is left of it is dropped')
  lab.run(400, () => lab.pbx.receive('talk'))
  t.ok(isSteady(lab.whatsapp.sent))
  t.ok(lab.whatsapp.sent.at(-1)?.payload.toString() === 'talk')
  const next = new Digit(lab)
  lab.run(100, () => next.more())
  t.same(next.shape, { timestamps: 2, markers: 2, ends: 3 }, 'another one begins')
})

t.test('repetitions of the end that come too late are made, once', async (t) => {
  const { lab, digit } = await inTheMidst()
  digit.more(true)
  lab.run(100)
  t.same(digit.shape, WHOLE)
  digit.more(true)
  digit.more(true)
  t.same(digit.shape, WHOLE)
  lab.run(400, () => lab.pbx.receive('talk'))
  t.ok(isSteady(lab.whatsapp.sent))
})

t.test('a digit whose leg goes is ended', async (t) => {
  const { lab, digit } = await inTheMidst()
  await lab.call.offer('next', legShape(), undefined)
  await lab.call.accept('next', description(), legMedia())
  await lab.call.promote()
  t.same(digit.shape, WHOLE)
  lab.run(400, () => lab.wires[2]!.receive('new'))
  t.ok(isSteady(lab.whatsapp.sent))
})

t.test('a digit whose leg is given up is ended', async (t) => {
  const { lab, digit } = await inTheMidst()
  await lab.call.drop('pbx')
  lab.run(400)
  t.same(digit.shape, WHOLE)
})
