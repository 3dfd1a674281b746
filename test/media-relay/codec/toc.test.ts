import { createEncoder, getPacketInfo } from 'libopus-wasm'
import t from 'tap'
import { opusTicks } from '../../../src/media-relay/codec/index.ts'

const ticks = (...octets: number[]): number => opusTicks(Uint8Array.from(octets), 0, octets.length)

t.test('one frame of each configuration (RFC 6716 table 2)', async (t) => {
  const milliseconds = [
    ...[10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60],
    ...[10, 20, 10, 20],
    ...[2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20],
  ]
  t.equal(milliseconds.length, 32)
  for (const [configuration, ms] of milliseconds.entries()) {
    t.equal(ticks(configuration << 3, 0), ms * 48, `configuration ${configuration}`)
  }
})

t.test('several frames, and what contradicts itself', async (t) => {
  t.equal(ticks(0xf9, 1, 2), 1920, 'two of equal size')
  t.equal(ticks(0xf9, 1), 0, 'which an odd rest cannot be')
  t.equal(ticks(0xfa, 1, 2), 1920, 'two of any size')
  t.equal(ticks(0xfa), 0)
  t.equal(ticks(0xfb, 6, 1), 5760, 'six of 20 ms')
  t.equal(ticks(0xfb, 7, 1), 0, 'more than 120 ms')
  t.equal(ticks(0xfb, 0x40), 0, 'none')
  t.equal(ticks(0xfb), 0)
  t.equal(ticks(), 0)
})

t.test('as libopus counts, within a larger buffer', async (t) => {
  for (const ms of [2.5, 5, 10, 20, 40, 60]) {
    const encoder = await createEncoder({ sampleRate: 48000, channels: 1, frameSize: ms * 48 })
    const packet = encoder.encode(new Int16Array(ms * 48).fill(1000))
    encoder.free()
    const buffer = Uint8Array.from([9, 9, 9, ...packet, 9])
    t.equal(opusTicks(buffer, 3, 3 + packet.length), (await getPacketInfo(packet)).samples)
  }
})
