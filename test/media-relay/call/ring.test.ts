import t from 'tap'
import { LONGEST_PACKET, Ring } from '../../../src/media-relay/call/ring.ts'
import { TRAILER } from '../../../src/media-relay/io/types.ts'

t.test(
  'a slot has room for the packet and its trailer, and stays untouched for 500 packets',
  async (t) => {
    const ring = new Ring()
    for (const length of [12, 172, 224, 225, LONGEST_PACKET]) {
      t.ok(ring.next(length).length >= length + TRAILER, `${length} octets`)
    }
    const slots = Array.from({ length: 500 }, (_, n) => {
      const slot = ring.next(n % 3 === 0 ? LONGEST_PACKET : 172)
      slot.fill(n & 0xff)
      return slot
    })
    t.ok(slots.every((slot, n) => slot.every((octet) => octet === (n & 0xff))))
  },
)
