import t from 'tap'
import { Resampler } from '../../../src/media-relay/audio/resample.ts'
import { pcmSource } from '../../../src/media-relay/audio/source.ts'
import { levelOf, loudness, sine } from '../../support/pcm.ts'

function resampled(pcm: Int16Array, from: number, to: number): Int16Array {
  const resampler = new Resampler(
    pcmSource(from, pcm.length, (index) => pcm[index]!),
    to,
  )
  const whole = new Int16Array(resampler.frames * resampler.size)
  // Backwards: no frame depends on the one before.
  for (let index = resampler.frames - 1; index >= 0; index--) {
    const start = index * resampler.size
    resampler.frame(index, whole.subarray(start, start + resampler.size))
  }
  return whole
}

for (const from of [8000, 11025, 16000, 22050, 32000, 44100, 48000]) {
  for (const to of [8000, 16000]) {
    t.test(`${from} Hz to ${to} Hz`, async (t) => {
      for (const hz of [200, 1000, 3000]) {
        const heard = resampled(sine(hz, -6, from, 0.48), from, to)
        t.equal(heard.length, 0.48 * to)
        const middle = heard.subarray(to / 10, (4 * to) / 10)
        const level = levelOf(hz, middle, to)
        t.ok(Math.abs(level + 6) < 0.3, `${hz} Hz at ${level.toFixed(2)} dBFS`)
        t.ok(Math.abs(loudness(middle) - level) < 0.05, 'and nothing else')
      }
    })
  }
}

t.test('what the lower rate cannot carry does not come back as something else', async (t) => {
  for (const from of [16000, 44100, 48000]) {
    for (const hz of [4600, 5000, 7000]) {
      const heard = resampled(sine(hz, -6, from, 0.3), from, 8000)
      const level = loudness(heard.subarray(800, 1600))
      t.ok(level < -55, `${hz} Hz of ${from} leaves ${level.toFixed(0)} dBFS`)
    }
  }
})

t.test('the same rate changes nothing, and full scale is kept in bounds', async (t) => {
  const pcm = sine(500, 0, 8000, 0.05)
  t.same(resampled(pcm, 8000, 8000), Int16Array.from([...pcm, ...new Int16Array(80)]))
  const square = Int16Array.from({ length: 2400 }, (_, i) => (i % 48 < 24 ? 32767 : -32768))
  const heard = resampled(square, 48000, 16000)
  t.ok(heard.every((sample, i) => Math.abs(sample) < 8000 || sample > 0 === square[3 * i]! > 0))
})
