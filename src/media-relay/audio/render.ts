import { Application, createDecoder, createEncoder } from 'libopus-wasm'
import { codesOf, type Law } from '../../shared/g711.ts'
import { FRAME_SAMPLES, frameTicks } from '../codec/frame.ts'
import { invalid } from './invalid.ts'
import type { OggOpus } from './ogg-opus.ts'
import { Resampler } from './resample.ts'
import { inSlices } from './slices.ts'
import { type PcmSource, pcmSource } from './source.ts'

/** Frames a turn of the event loop: about a millisecond of work. */
const SLICE = 4
/** WhatsApp plays up to 16000 Hz and asks for 20 kb/s at most on average. */
const WIDE = 16_000
const BITRATE = 20_000
/** Packets that are passed on as they are: 64 kb/s on average, none beyond a datagram. */
const PASSED_OCTETS = 160
const MAX_OCTETS = 1200

/** Encodes a source to 20 ms Opus packets. */
export async function renderOpus(source: PcmSource): Promise<Uint8Array[]> {
  const rate = source.rate > 8000 ? WIDE : 8000
  const resampler = new Resampler(source, rate)
  const pcm = new Int16Array(resampler.size)
  const frames: Uint8Array[] = []
  const encoder = await createEncoder({
    sampleRate: rate,
    channels: 1,
    frameSize: resampler.size,
    application: Application.Audio,
    bitrate: BITRATE,
    complexity: 5,
  })
  try {
    await inSlices(resampler.frames, SLICE, (index) => {
      resampler.frame(index, pcm)
      frames.push(encoder.encode(pcm))
    })
  } finally {
    encoder.free()
  }
  return frames
}

/** Encodes a source to 20 ms of either law. */
export async function renderG711(source: PcmSource): Promise<Record<Law, Uint8Array[]>> {
  const resampler = new Resampler(source, 8000)
  const pcm = new Int16Array(FRAME_SAMPLES)
  const rendered: Record<Law, Uint8Array[]> = { PCMA: [], PCMU: [] }
  const laws = (['PCMA', 'PCMU'] as const).map((law) => ({
    frames: rendered[law],
    codes: codesOf(law),
    octets: new Uint8Array(resampler.frames * FRAME_SAMPLES),
  }))
  await inSlices(resampler.frames, SLICE, (index) => {
    resampler.frame(index, pcm)
    const start = index * FRAME_SAMPLES
    for (const { frames, codes, octets } of laws) {
      for (let i = 0; i < FRAME_SAMPLES; i++) octets[start + i] = codes[pcm[i]! & 0xffff]!
      frames.push(octets.subarray(start, start + FRAME_SAMPLES))
    }
  })
  return rendered
}

/**
 * The packets of a file themselves, when they are what a call wants: 20 ms each, of moderate size,
 * at the level they are to be heard. Undefined when they have to be encoded anew.
 */
export function passedOpus(file: OggOpus): Uint8Array[] | undefined {
  const ticks = frameTicks('opus')
  const octets = file.packets.reduce((sum, packet) => sum + packet.length, 0)
  if (
    file.gain !== 1 ||
    octets > file.packets.length * PASSED_OCTETS ||
    file.packets.some((packet) => packet.length > MAX_OCTETS) ||
    file.ticks.some((each) => each !== ticks)
  ) {
    return undefined
  }
  const skipped = Math.floor(file.preSkip / ticks)
  const heard = Math.ceil((file.preSkip + file.length) / ticks)
  return file.packets.slice(skipped, heard)
}

/**
 * Decodes an Ogg Opus file.
 *
 * @throws CausewayError `MEDIA_FILE_INVALID` when libopus refuses a packet
 */
export async function decodeOggOpus(file: OggOpus): Promise<PcmSource> {
  const divisor = 48_000 / WIDE
  const pcm = new Int16Array(file.ticks.reduce((sum, each) => sum + each, 0) / divisor)
  const decoder = await createDecoder({ sampleRate: WIDE, channels: 1 })
  let at = 0
  try {
    await inSlices(file.packets.length, SLICE, (index) => {
      const samples = decoder.decode(file.packets[index]!)
      pcm.set(samples, at)
      at += samples.length
    })
  } catch (cause) {
    throw invalid(`Ogg with an Opus packet that cannot be decoded after ${at / WIDE} s`, cause)
  } finally {
    decoder.free()
  }
  const skip = Math.round(file.preSkip / divisor)
  const { gain } = file
  return pcmSource(WIDE, Math.round(file.length / divisor), (index) => gain * pcm[skip + index]!)
}
