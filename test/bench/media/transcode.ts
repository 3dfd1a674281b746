/**
 * Microseconds of CPU for each 20 ms frame that is transcoded, at several complexities of the Opus
 * encoder, with many calls in turn so that caches are as cold as in a relay; and how long a minute of
 * an announcement takes to load. `node test/bench/media/transcode.ts [calls]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Codec } from '../../../src/media/sdp/types.ts'
import { loadAudioFile } from '../../../src/media-relay/audio/index.ts'
import {
  createTranscoder,
  loadCodecs,
  type Transcoder,
} from '../../../src/media-relay/codec/index.ts'
import { octetsOf, wavFile } from '../../support/audio-files.ts'
import { lawPayloads, opusPayloads, speech } from './payloads.ts'

const CALLS = Number(process.argv[2] ?? 100)
const FRAMES = 50
const ROUNDS = 5

const codec = (name: string): Codec => ({
  payloadType: 0,
  name,
  clockRate: name === 'opus' ? 48000 : 8000,
  channels: undefined,
  fmtp: undefined,
})

function microseconds(since: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(since)
  return used.user + used.system
}

let octets = 0
const count = (_frame: Uint8Array, length: number): void => {
  octets += length
}

/** Opens as many calls as are measured; when so many start at once their codecs come a turn later. */
async function opened(make: () => Transcoder): Promise<Transcoder[]> {
  const calls = Array.from({ length: CALLS }, make)
  await new Promise(setImmediate)
  return calls
}

async function measure(
  name: string,
  make: () => Transcoder,
  second: (calls: Transcoder[]) => void,
): Promise<void> {
  const calls = await opened(make)
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    octets = 0
    const start = process.cpuUsage()
    second(calls)
    best = Math.min(best, microseconds(start) / CALLS / FRAMES)
  }
  const rate = ((octets * 8) / CALLS / 1000).toFixed(1)
  for (const transcoder of calls) transcoder.close()
  console.log(`${name.padEnd(28)} ${best.toFixed(1).padStart(6)} µs ${rate.padStart(6)} kb/s`)
}

function pushing(payloads: Uint8Array[]): (calls: Transcoder[]) => void {
  return (calls) => {
    for (const payload of payloads) {
      for (const transcoder of calls) transcoder.push(payload, 0, payload.length, count)
    }
  }
}

function concealing(calls: Transcoder[]): void {
  for (let i = 0; i < FRAMES; i++) {
    for (const transcoder of calls) transcoder.conceal(1, count)
  }
}

async function loading(rate: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  const path = join(directory, 'minute.wav')
  writeFileSync(path, wavFile({ rate, data: octetsOf(speech(rate, 60)) }))
  const start = process.cpuUsage()
  const began = performance.now()
  let longest = 0
  let last = began
  let done = false
  const watch = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!done) setImmediate(watch)
  }
  watch()
  await loadAudioFile(path)
  done = true
  const cpu = (microseconds(start) / 1000).toFixed(0)
  const wall = (performance.now() - began).toFixed(0)
  const turn = longest.toFixed(1)
  console.log(`a minute of WAV, ${rate} Hz: ${cpu} ms CPU, ${wall} ms, longest turn ${turn} ms`)
  rmSync(directory, { recursive: true })
}

await loadCodecs()
console.log(`${CALLS} calls in turn, CPU for each frame of 20 ms, best of ${ROUNDS}`)
const opus = codec('opus')
const pcma = codec('PCMA')
const law = lawPayloads()
const before = process.memoryUsage().external
await measure('opus → PCMA', () => createTranscoder(opus, pcma), pushing(await opusPayloads()))
await measure('opus → PCMA, all lost', () => createTranscoder(opus, pcma), concealing)
for (const complexity of [0, 3, 5, 9]) {
  const make = (): Transcoder => createTranscoder(pcma, opus, { complexity })
  await measure(`PCMA → opus, complexity ${complexity}`, make, pushing(law))
}
await measure('PCMA → PCMU', () => createTranscoder(pcma, codec('PCMU')), pushing(law))
const grown = (process.memoryUsage().external - before) / 1024 / CALLS
console.log(`memory outside the heap: ${grown.toFixed(1)} KiB more for each call`)
for (const rate of [8000, 44100]) await loading(rate)
