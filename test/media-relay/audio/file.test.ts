import { execFileSync } from 'node:child_process'
import { mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDecoder, createEncoder } from 'libopus-wasm'
import t, { type Test } from 'tap'
import {
  type AudioCodec,
  type AudioFile,
  AudioLibrary,
  loadAudioFile,
} from '../../../src/media-relay/audio/index.ts'
import { codesOf, samplesOf } from '../../../src/shared/g711.ts'
import { octetsOf, oggOpusFile, wavFile } from '../../support/audio-files.ts'
import { joined, levelOf, sine } from '../../support/pcm.ts'

const directory = t.testdir()
let files = 0

function stored(octets: Uint8Array): string {
  const path = join(directory, `${files++}.audio`)
  writeFileSync(path, octets)
  return path
}

async function heard(file: AudioFile, codec: AudioCodec): Promise<Int16Array> {
  if (codec !== 'opus') {
    return joined(file.frames(codec).map((f) => Int16Array.from(f, (c) => samplesOf(codec)[c]!)))
  }
  const decoder = await createDecoder({ sampleRate: 16000, channels: 1 })
  const pcm = joined(file.frames('opus').map((frame) => decoder.decode(frame)))
  decoder.free()
  return pcm
}

/** Opus packets of a 1000 Hz tone at -12 dBFS. */
async function packets(ms: number, channels: 1 | 2, bitrate: number): Promise<Uint8Array[]> {
  const size = 48 * ms
  const encoder = await createEncoder({ sampleRate: 48000, channels, frameSize: size, bitrate })
  const tone = sine(1000, -12, 48000, 1.2)
  const list: Uint8Array[] = []
  for (let at = 0; at < tone.length; at += size) {
    const part = tone.subarray(at, at + size)
    list.push(
      encoder.encode(channels === 1 ? part : Int16Array.from([...part].flatMap((s) => [s, s]))),
    )
  }
  encoder.free()
  return list
}

async function assertTone(t: Test, file: AudioFile, ms: number): Promise<void> {
  t.equal(file.durationMs, ms)
  for (const codec of ['opus', 'PCMA', 'PCMU'] as const) {
    const rate = codec === 'opus' ? 16000 : 8000
    const pcm = await heard(file, codec)
    t.ok(Math.abs(pcm.length / rate - ms / 1000) < 0.03, `${pcm.length} samples of ${codec}`)
    const level = levelOf(1000, pcm.subarray(rate / 10, (rate * 9) / 10), rate)
    t.ok(Math.abs(level + 12) < 1.5, `${codec} at ${level.toFixed(1)} dBFS`)
    t.equal(file.frames(codec), file.frames(codec), 'the same array each time')
  }
}

for (const rate of [8000, 16000, 44100, 48000]) {
  for (const channels of [1, 2]) {
    t.test(`WAV of ${rate} Hz with ${channels} channels`, async (t) => {
      const tone = sine(1000, -12, rate, 1.01)
      const pcm = channels === 1 ? tone : Int16Array.from([...tone].flatMap((s) => [s, s]))
      const path = stored(wavFile({ rate, channels, data: octetsOf(pcm) }))
      const file = await loadAudioFile(path)
      await assertTone(t, file, 1010)
      t.equal(file.frames('opus').length, 51, 'the last frame is filled up')
      const octets = file.frames('opus').reduce((sum, frame) => sum + frame.length, 0)
      t.ok(octets * 8 < 21_000 * 1.02, 'within 20 kb/s')
    })
  }
}

t.test('WAV of both laws is passed on unchanged in its own', async (t) => {
  for (const [tag, law] of [
    [6, 'PCMA'],
    [7, 'PCMU'],
  ] as const) {
    const data = Uint8Array.from(sine(1000, -12, 8000, 1), (s) => codesOf(law)[s & 0xffff]!)
    const file = await loadAudioFile(stored(wavFile({ tag, bits: 8, data })))
    await assertTone(t, file, 1000)
    t.same(Buffer.concat(file.frames(law)), Buffer.from(data))
  }
})

t.test('Ogg Opus of 20 ms is passed through', async (t) => {
  const list = await packets(20, 1, 32000)
  // Two packets are nothing but pre-skip, and two more lie behind the end.
  const file = await loadAudioFile(
    stored(oggOpusFile({ packets: list, preSkip: 2020, length: 48000 })),
  )
  await assertTone(t, file, 1000)
  const frames = file.frames('opus')
  t.equal(frames.length, 51)
  t.ok(frames.every((frame, i) => Buffer.compare(frame, list[i + 2]!) === 0))
})

t.test('Ogg Opus that a call cannot have as it is, is encoded anew', async (t) => {
  const length = 48000
  const shapes = [
    { packets: await packets(60, 1, 24000), ticks: 2880, length },
    { packets: await packets(2.5, 1, 64000), ticks: 120, length },
    { packets: await packets(20, 2, 160000), channels: 2, length },
  ]
  for (const shape of shapes) {
    const file = await loadAudioFile(stored(oggOpusFile(shape)))
    await assertTone(t, file, 1000)
    t.equal(file.frames('opus').length, 50)
    t.ok(file.frames('opus').every((frame) => frame.length < 160))
  }
  const quiet = await loadAudioFile(
    stored(oggOpusFile({ packets: await packets(20, 1, 32000), gain: -8 * 256, length })),
  )
  const level = levelOf(1000, (await heard(quiet, 'opus')).subarray(1600, 14400), 16000)
  t.ok(Math.abs(level + 20) < 1.5, `the gain of the file is heard: ${level.toFixed(1)} dBFS`)
})

t.test('what was found is told, with the path', async (t) => {
  const folder = join(directory, 'folder')
  mkdirSync(folder)
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  const huge = stored(Buffer.from('RIFF'))
  truncateSync(huge, 200 * 2 ** 20)
  const eleven = wavFile({ tag: 6, bits: 8, data: new Uint8Array(8000 * 601) })
  const cases: [string, string][] = [
    [join(directory, 'nowhere.wav'), 'there is no such file'],
    [folder, 'not a file'],
    [pipe, 'not a file'],
    [huge, '200 MiB'],
    [stored(Buffer.from('ID3\x04 and so on')), 'MP3'],
    [stored(Buffer.from('fLaC')), 'FLAC'],
    [stored(Buffer.from('hello')), 'a file that begins with 68656c6c'],
    [stored(Buffer.alloc(0)), 'an empty file'],
    [stored(wavFile({ data: Buffer.alloc(0) })), 'no audio in it'],
    [stored(wavFile({ data: Buffer.alloc(99), bits: 24 })), 'WAV with 24 bit PCM'],
    [stored(eleven), '601 s of audio'],
    [stored(oggOpusFile({ packets: [] })), 'no audio in it'],
    [
      stored(oggOpusFile({ packets: [Uint8Array.of(0xfb)] })),
      'Ogg with a broken Opus packet, number 0',
    ],
    [
      stored(oggOpusFile({ packets: [Uint8Array.of(0x0a, 0xff, 0xff, 1)] })),
      'Ogg with an Opus packet that cannot be decoded after 0 s',
    ],
  ]
  for (const [place, detail] of cases) {
    await t.rejects(loadAudioFile(place), { code: 'MEDIA_FILE_INVALID', place, detail }, detail)
  }
})

t.test('the thread is never held up for long', async (t) => {
  const data = octetsOf(sine(440, -10, 44100, 20))
  const path = stored(wavFile({ rate: 44100, data }))
  let turns = 0
  let done = false
  const count = (): void => {
    turns++
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  await loadAudioFile(path)
  done = true
  t.ok(turns > 400, `${turns} turns of the event loop during 1000 frames`)
})

t.test('the library loads a file once, and again when it changes', async (t) => {
  const library = new AudioLibrary()
  const tone = (seconds: number) => wavFile({ data: octetsOf(sine(440, -10, 8000, seconds)) })
  const path = stored(tone(0.1))
  utimesSync(path, 1000, 1000)
  const [first, second] = await Promise.all([library.get(path), library.get(path)])
  t.equal(first, second)
  t.equal(await library.get(path), first)
  writeFileSync(path, tone(0.2))
  utimesSync(path, 2000, 2000)
  t.equal((await library.get(path)).durationMs, 200)
  t.equal(first.durationMs, 100, 'who has the old one keeps it')
})

t.test('the library forgets what was not asked for, and failures', async (t) => {
  const tone = (ms: number) => stored(wavFile({ data: new Uint8Array(16 * ms) }))
  const library = new AudioLibrary(100)
  const [a, b, c] = [tone(40), tone(40), tone(40)]
  const first = await library.get(a)
  const second = await library.get(b)
  t.equal(await library.get(a), first)
  await library.get(c)
  t.equal(await library.get(a), first, 'asked for again meanwhile')
  t.not(await library.get(b), second, 'loaded anew')
  const large = tone(500)
  const big = await library.get(large)
  t.equal(await library.get(large), big, 'one that is larger than all is kept alone')

  const path = stored(Buffer.from('nonsense'))
  const expected = { code: 'MEDIA_FILE_INVALID', place: path }
  utimesSync(path, 1000, 1000)
  await t.rejects(library.get(path), expected)
  await t.rejects(library.get(path), expected)
  const missing = { ...expected, place: '/nowhere', detail: 'there is no such file' }
  await t.rejects(library.get('/nowhere'), missing)
})
