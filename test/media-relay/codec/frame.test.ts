import { createDecoder, createEncoder } from 'libopus-wasm'
import t from 'tap'
import { frameTicks, silenceFrame } from '../../../src/media-relay/codec/index.ts'
import { samplesOf } from '../../../src/shared/g711.ts'
import { peak, sine } from '../../support/pcm.ts'

t.test('Opus silence is 20 ms of zeros, at every rate and after speech', async (t) => {
  for (const rate of [8000, 16000, 48000] as const) {
    const encoder = await createEncoder({ sampleRate: 8000, channels: 1, frameSize: 160 })
    const decoder = await createDecoder({ sampleRate: rate, channels: 1 })
    const tone = sine(400, -6, 8000, 0.2)
    for (let at = 0; at < tone.length; at += 160) {
      decoder.decode(encoder.encode(tone.subarray(at, at + 160)))
    }
    // The first one still holds the end of what was said.
    t.equal(decoder.decode(silenceFrame('opus')).length, rate / 50)
    t.equal(peak(decoder.decode(silenceFrame('Opus'))), 0)
    encoder.free()
    decoder.free()
  }
})

t.test('G.711 silence is the smallest value', async (t) => {
  for (const law of ['PCMA', 'PCMU'] as const) {
    const silence = silenceFrame(law)
    t.equal(silence.length, 160)
    t.ok(silence.every((code) => Math.abs(samplesOf(law)[code]!) <= 8))
  }
  t.equal(silenceFrame('PCMA')[0], 0xd5)
  t.equal(silenceFrame('pcmu')[0], 0xff)
  t.equal(silenceFrame('G722').length, 160, '64 kb/s')
})

t.test('RTP ticks of 20 ms', async (t) => {
  t.same(['opus', 'PCMA', 'PCMU', 'G722'].map(frameTicks), [960, 160, 160, 160])
  t.throws(() => frameTicks('iLBC'), { code: 'MEDIA_NO_COMMON_CODEC' })
  t.throws(() => silenceFrame('telephone-event'), { code: 'MEDIA_NO_COMMON_CODEC' })
})
