import t from 'tap'
import { G711_FRAME, G711Repacketiser } from '../../../src/media-relay/rtp/index.ts'

/** `octets` octets that count on from `from`, with three in front that are no payload. */
function payload(from: number, octets: number): Buffer {
  return Buffer.from([9, 9, 9, ...Array.from({ length: octets }, (_, i) => (from + i) % 251)])
}

t.test('any packet time becomes 20 ms, octet by octet', async (t) => {
  for (const ptime of [5, 10, 20, 30, 40, 60, 80, 120, 200]) {
    const octets = ptime * 8
    const repacketiser = new G711Repacketiser()
    const out: number[] = []
    const slot = Buffer.alloc(12 + G711_FRAME)
    const packets = Math.ceil(8000 / octets)
    for (let n = 0; n < packets; n++) {
      repacketiser.push(payload(n * octets, octets), 3, 3 + octets)
      while (repacketiser.next(slot, 12)) out.push(...slot.subarray(12))
    }
    const whole = Math.floor((packets * octets) / G711_FRAME) * G711_FRAME
    t.equal(out.length, whole, `${ptime} ms`)
    t.ok(
      out.every((octet, i) => octet === i % 251),
      `${ptime} ms in order`,
    )
    t.equal(repacketiser.dropped, 0)
    t.equal(repacketiser.octets, packets * octets - whole)
  }
})

t.test('beyond 200 ms the oldest is dropped', async (t) => {
  const repacketiser = new G711Repacketiser()
  const slot = Buffer.alloc(G711_FRAME)
  for (let n = 0; n < 12; n++) repacketiser.push(payload(n * 160, 160), 3, 163)
  t.equal(repacketiser.frames, 10)
  t.equal(repacketiser.dropped, 320)
  repacketiser.next(slot, 0)
  t.equal(slot[0], 320 % 251)
  repacketiser.push(payload(0, 4000), 3, 4003)
  t.equal(repacketiser.frames, 10)
  repacketiser.next(slot, 0)
  t.equal(slot[0], 2400 % 251, 'a payload longer than all of it')
  repacketiser.clear()
  t.notOk(repacketiser.next(slot, 0))
})
