import { Application, createDecoder, createEncoder } from 'libopus-wasm'
import t from 'tap'
import type { Codec } from '../../../src/media/sdp/types.ts'
import {
  createTranscoder,
  loadCodecs,
  type Transcoder,
} from '../../../src/media-relay/codec/index.ts'
import { codesOf, type Law, lawOf, samplesOf } from '../../../src/shared/g711.ts'
import { joined, levelOf, loudness, sine } from '../../support/pcm.ts'

const codec = (name: string, fmtp?: string): Codec => ({
  payloadType: name === 'opus' ? 111 : 8,
  name,
  clockRate: name === 'opus' ? 48000 : 8000,
  channels: name === 'opus' ? 2 : undefined,
  fmtp,
})

const law = (name: Law, pcm: Int16Array): Uint8Array =>
  Uint8Array.from(pcm, (sample) => codesOf(name)[sample & 0xffff]!)
const linear = (name: Law, payload: Uint8Array): Int16Array =>
  Int16Array.from(payload, (code) => samplesOf(name)[code]!)

/** Payloads of `ms` each; Opus is encoded at `rate`. */
async function encoded(name: string, pcm: Int16Array, rate: number, ms: number) {
  const size = (rate * ms) / 1000
  const parts = Array.from({ length: Math.floor(pcm.length / size) }, (_, i) =>
    pcm.subarray(i * size, (i + 1) * size),
  )
  const named = lawOf(name)
  if (named) return parts.map((part) => law(named, part))
  const encoder = await createEncoder({
    sampleRate: rate === 48000 ? 48000 : 8000,
    channels: 1,
    frameSize: size,
    application: Application.Voip,
    bitrate: 24000,
    fec: true,
    packetLossPercent: 20,
  })
  const payloads = parts.map((part) => encoder.encode(part))
  encoder.free()
  return payloads
}

async function decoded(name: string, payloads: Uint8Array[]): Promise<Int16Array> {
  const named = lawOf(name)
  if (named) return joined(payloads.map((payload) => linear(named, payload)))
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 })
  const pcm = joined(payloads.map((payload) => decoder.decode(payload)))
  decoder.free()
  return pcm
}

/** What comes out, with 7 octets before each payload that do not belong to it. */
function pushed(transcoder: Transcoder, payloads: Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (const payload of payloads) {
    const packet = new Uint8Array(payload.length + 12)
    packet.set(payload, 7)
    transcoder.push(packet, 7, 7 + payload.length, (frame, octets) => {
      frames.push(frame.slice(0, octets))
    })
  }
  return frames
}

t.before(() => loadCodecs())

for (const [from, to] of [
  ['opus', 'PCMA'],
  ['opus', 'PCMU'],
  ['PCMA', 'opus'],
  ['PCMU', 'opus'],
  ['PCMA', 'PCMU'],
  ['PCMU', 'PCMA'],
] as const) {
  t.test(`tones keep pitch and level from ${from} to ${to}`, async (t) => {
    for (const hz of [300, 440, 1000, 2000, 3000]) {
      const rate = from === 'opus' ? 48000 : 8000
      const payloads = await encoded(from, sine(hz, -12, rate, 1), rate, 20)
      const transcoder = createTranscoder(codec(from), codec(to))
      const frames = pushed(transcoder, payloads)
      t.equal(frames.length, 50)
      const heard = (await decoded(to, frames)).subarray(2400, 7200)
      const level = levelOf(hz, heard, 8000)
      t.ok(Math.abs(level + 12) < 1.5, `${hz} Hz at ${level.toFixed(1)} dBFS`)
      t.ok(levelOf(hz * 1.31, heard, 8000) < level - 20, 'and nothing beside it')
      transcoder.close()
    }
  })
}

t.test('any frame size becomes 20 ms', async (t) => {
  const pcm = sine(700, -12, 8000, 0.48)
  for (const from of ['opus', 'PCMA']) {
    for (const ms of [10, 20, 40, 60]) {
      const transcoder = createTranscoder(codec(from), codec('PCMU'))
      const frames = pushed(transcoder, await encoded(from, pcm, 8000, ms))
      t.equal(frames.length, 24, `${from} of ${ms} ms`)
      t.ok(frames.every((frame) => frame.length === 160))
      const level = levelOf(700, await decoded('PCMU', frames.slice(4)), 8000)
      t.ok(Math.abs(level + 12) < 1.5, `${level.toFixed(1)} dBFS without a seam`)
      transcoder.close()
    }
  }
  const transcoder = createTranscoder(codec('PCMA'), codec('PCMA'))
  const payloads = await encoded('PCMA', pcm, 8000, 30)
  t.same(
    Buffer.concat(pushed(transcoder, payloads)),
    Buffer.concat(payloads),
    'a law to itself changes nothing but the cut',
  )
})

t.test('stereo is mixed', async (t) => {
  const encoder = await createEncoder({ sampleRate: 48000, channels: 2, bitrate: 64000 })
  const mono = sine(1000, -12, 48000, 0.4)
  const both = Int16Array.from({ length: mono.length * 2 }, (_, i) => mono[i >> 1]!)
  const payloads: Uint8Array[] = []
  for (let at = 0; at < both.length; at += 1920) {
    payloads.push(encoder.encode(both.subarray(at, at + 1920)))
  }
  const transcoder = createTranscoder(codec('opus'), codec('PCMA'))
  const heard = await decoded('PCMA', pushed(transcoder, payloads))
  t.ok(Math.abs(levelOf(1000, heard.subarray(1600), 8000) + 12) < 1.5)
  transcoder.close()
  encoder.free()
})

t.test('a lost G.711 frame fades, without a jump, to silence', async (t) => {
  const transcoder = createTranscoder(codec('PCMU'), codec('PCMA'))
  const frames = pushed(transcoder, await encoded('PCMU', sine(300, -6, 8000, 0.1), 8000, 20))
  transcoder.conceal(5, (frame, octets) => frames.push(frame.slice(0, octets)))
  t.equal(frames.length, 10)
  const levels = frames.slice(5).map((frame) => loudness(linear('PCMA', frame)))
  t.ok(levels[0]! > -10 && levels[1]! < levels[0]! && levels[2]! < levels[1]!, `${levels}`)
  t.same(frames[8], new Uint8Array(160).fill(0xd5))
  const heard = await decoded('PCMA', frames)
  const jump = Math.max(
    ...Array.from(heard.subarray(700, 1200), (s, i) => Math.abs(s - heard[699 + i]!)),
  )
  t.ok(jump < 6000, `largest step ${jump}`)
})

t.test('redundancy restores a lost Opus frame better than invention', async (t) => {
  // A tone that begins in the lost frame cannot be invented.
  const pcm = sine(500, -10, 8000, 0.4).fill(0, 0, 1600)
  const payloads = await encoded('opus', pcm, 8000, 20)
  const lost = 10
  const level = (next: Uint8Array | undefined): number => {
    const transcoder = createTranscoder(codec('opus'), codec('PCMU'))
    pushed(transcoder, payloads.slice(0, lost))
    const frames: Uint8Array[] = []
    transcoder.conceal(1, (frame) => frames.push(frame.slice()), next, 0, next?.length)
    transcoder.close()
    t.equal(frames.length, 1)
    return loudness(linear('PCMU', frames[0]!))
  }
  const [invented, restored] = [level(undefined), level(payloads[lost + 1])]
  t.ok(restored > -16 && invented < -30, `${restored.toFixed(1)} against ${invented.toFixed(1)}`)
})

t.test('a payload that cannot be decoded is concealed', async (t) => {
  const payloads = await encoded('opus', sine(440, -10, 8000, 0.4), 8000, 20)
  // Code 3 with no frame count, and a frame longer than its packet.
  for (const bad of [Uint8Array.of(0x0b), Uint8Array.of(0x0a, 0xff, 0xff, 1), new Uint8Array(0)]) {
    const transcoder = createTranscoder(codec('opus'), codec('PCMA'))
    pushed(transcoder, payloads)
    const frames = pushed(transcoder, [bad])
    t.equal(frames.length, 1)
    t.ok(loudness(linear('PCMA', frames[0]!)) > -20, 'the tone goes on')
    transcoder.close()
  }
})

t.test('the receiver’s fmtp is obeyed', async (t) => {
  const payloads = await encoded('PCMA', noise(2), 8000, 20)
  const rate = (fmtp: string | undefined, complexity?: number): number => {
    const transcoder = createTranscoder(
      codec('PCMA'),
      codec('opus', fmtp),
      complexity === undefined ? {} : { complexity },
    )
    const frames = pushed(transcoder, payloads)
    transcoder.close()
    return (frames.reduce((sum, frame) => sum + frame.length, 0) * 8) / 2000
  }
  const usual = rate('maxaveragebitrate=20000;maxplaybackrate=16000;useinbandfec=1')
  t.ok(usual > 16 && usual < 21, `${usual} kb/s`)
  t.equal(rate(undefined), usual)
  t.ok(rate('useinbandfec=1; maxaveragebitrate=9000') < 11)
  t.equal(rate('maxaveragebitrate=nonsense'), usual)
  t.not(rate('useinbandfec=0'), usual)
  t.equal(rate('cbr=1'), 20)
  t.not(rate(undefined, 0), usual)
})

t.test('pairs that cannot be converted are refused', async (t) => {
  const refused = { code: 'MEDIA_NO_COMMON_CODEC', sip: 488 }
  t.throws(() => createTranscoder(codec('G722'), codec('opus')), refused)
  t.throws(() => createTranscoder(codec('PCMA'), codec('G722')), refused)
  t.throws(() => createTranscoder(codec('opus'), codec('opus')), refused)
})

/** Noise that is the same each time. */
function noise(seconds: number): Int16Array {
  let state = 1
  return Int16Array.from({ length: 8000 * seconds }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >> 17) & 0xffff
  })
}
