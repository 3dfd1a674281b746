import t from 'tap'
import { openWav } from '../../../src/media-relay/audio/wav.ts'
import { codesOf } from '../../../src/shared/g711.ts'
import { chunk, octetsOf, riffHead, wavFile } from '../../support/audio-files.ts'
import { sine } from '../../support/pcm.ts'

const ramp = Int16Array.from([0, 1, -1, 32767, -32768, 1000])
const data = octetsOf(ramp)

function samples(file: Buffer): number[] {
  const source = openWav(file)
  const into = new Float32Array(source.length)
  source.read(0, into, source.length)
  return [...into]
}

t.test('PCM of 16 bit', async (t) => {
  t.same(samples(wavFile({ data })), [...ramp])
  t.same(samples(wavFile({ data, channels: 2 })), [0.5, 16383, -15884], 'stereo is averaged')
  t.same(samples(wavFile({ data, tag: 0xfffe })), [...ramp], 'in the extensible form')
  t.equal(openWav(wavFile({ data, rate: 44100 })).rate, 44100)
  const shifted = Buffer.concat([Buffer.alloc(1), wavFile({ data })]).subarray(1)
  t.same(samples(shifted), [...ramp], 'at an odd address')
})

t.test('G.711', async (t) => {
  for (const [tag, law] of [
    [6, 'PCMA'],
    [7, 'PCMU'],
  ] as const) {
    const pcm = sine(440, -6, 8000, 0.01)
    const coded = Uint8Array.from(pcm, (sample) => codesOf(law)[sample & 0xffff]!)
    const back = samples(wavFile({ tag, bits: 8, data: coded }))
    t.equal(back.length, 80)
    t.ok(back.every((sample, i) => Math.abs(sample - pcm[i]!) < 600))
  }
})

t.test('other chunks are passed over, odd ones with their padding', async (t) => {
  const between = [chunk('LIST', Buffer.from('INFOx')), chunk('fact', Buffer.alloc(4))]
  t.same(samples(wavFile({ data, between })), [...ramp])
})

t.test('a size that was not known when it was written', async (t) => {
  t.same(samples(wavFile({ data, claims: 0xffffffff })), [...ramp])
  t.same(samples(wavFile({ data, claims: 0x7ffff000 })), [...ramp])
})

t.test('beyond the ends there is silence', async (t) => {
  const into = new Float32Array(10).fill(9)
  openWav(wavFile({ data })).read(-2, into, 10)
  t.same([...into], [0, 0, ...ramp, 0, 0])
})

t.test('what cannot be played is named', async (t) => {
  const format = chunk('fmt ', wavFile({ data }).subarray(20, 36))
  const riff = (...chunks: Buffer[]): Buffer => Buffer.concat([riffHead(chunks), ...chunks])
  const cases: [Buffer, string][] = [
    [wavFile({ data, bits: 24 }), 'WAV with 24 bit PCM'],
    [wavFile({ data, bits: 8 }), 'WAV with 8 bit PCM'],
    [wavFile({ data, tag: 3, bits: 32 }), 'WAV with 32 bit floating point'],
    [wavFile({ data, tag: 0x31, bits: 0 }), 'WAV with 0 bit GSM'],
    [wavFile({ data, tag: 0x1234 }), 'WAV with 16 bit format 0x1234'],
    [wavFile({ data, tag: 6, bits: 16 }), 'WAV with 16 bit A-law'],
    [wavFile({ data, channels: 6 }), 'WAV with 6 channels'],
    [wavFile({ data, channels: 0 }), 'WAV with 0 channels'],
    [wavFile({ data, rate: 96000 }), 'WAV with 96000 Hz'],
    [wavFile({ data, rate: 44056 }), 'WAV with 44056 Hz'],
    [wavFile({ data, rate: 0 }), 'WAV with 0 Hz'],
    [wavFile({ data, claims: 13 }), 'WAV that should have 13 octets of audio and has 12'],
    [riff(format), 'WAV without a data chunk'],
    [riff(chunk('fact', data)), 'WAV without a fmt chunk'],
    [riff(), 'WAV without a fmt chunk'],
    [riff(chunk('data', data), format), 'WAV whose data chunk comes before its fmt chunk'],
    [riff(chunk('fmt ', Buffer.alloc(8))), 'WAV with a broken fmt chunk'],
    [riff(format).subarray(0, 30), 'WAV with a broken fmt chunk'],
  ]
  for (const [file, detail] of cases) {
    t.throws(() => openWav(file), { code: 'MEDIA_FILE_INVALID', detail }, detail)
  }
})

t.test('every shorter file and every changed octet is read or refused, never more', async (t) => {
  const whole = wavFile({ data, between: [chunk('LIST', Buffer.from('INFO'))] })
  let refused = 0
  const attempt = (file: Buffer): void => {
    try {
      samples(file)
    } catch (error) {
      if ((error as { code?: string }).code !== 'MEDIA_FILE_INVALID') throw error
      refused++
    }
  }
  for (let length = 12; length < whole.length; length++) attempt(whole.subarray(0, length))
  t.equal(refused, whole.length - 12)
  for (let at = 12; at < whole.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Buffer.from(whole)
      changed[at] = value
      attempt(changed)
    }
  }
})
