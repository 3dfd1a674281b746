import { Application, createDecoder, createEncoder } from 'libopus-wasm'
import { decodeG711, encodeG711, isG711 } from './g711.ts'
import type { CodecName } from './sdp.ts'
import { sine } from './tone.ts'

/** RTP clock rate by codec; Opus is 48000 whatever it carries (RFC 7587 §4.1). */
export const CLOCK_RATE: Record<CodecName, number> = { opus: 48000, PCMA: 8000, PCMU: 8000 }

/** Samples of the RTP clock in one 20 ms frame. */
export function frameTicks(codec: CodecName): number {
  return CLOCK_RATE[codec] / 50
}

const FRAMES = 50
const MAX_LOOPS = 32
const loops = new Map<string, Promise<Buffer[]>>()

/**
 * A second of a tone as 50 encoded frames, to be sent round and round: encoding once keeps a load
 * test's CPU for the system under test. Shared between endpoints.
 */
export function toneLoop(codec: CodecName, frequency: number, level: number): Promise<Buffer[]> {
  const key = `${codec} ${frequency} ${level}`
  let loop = loops.get(key)
  if (!loop) {
    if (loops.size >= MAX_LOOPS) loops.delete(loops.keys().next().value!)
    loop = isG711(codec)
      ? Promise.resolve(g711Loop(codec, frequency, level))
      : opusLoop(frequency, level)
    loops.set(key, loop)
  }
  return loop
}

function g711Loop(codec: 'PCMA' | 'PCMU', frequency: number, level: number): Buffer[] {
  const second = encodeG711(codec, sine(frequency, level, 8000))
  return Array.from({ length: FRAMES }, (_, i) => second.subarray(i * 160, (i + 1) * 160))
}

async function opusLoop(frequency: number, level: number): Promise<Buffer[]> {
  const encoder = await createEncoder({
    sampleRate: 16000,
    channels: 1,
    frameSize: 320,
    application: Application.Voip,
    bitrate: 20000,
  })
  const second = sine(frequency, level, 16000)
  const frames: Buffer[] = []
  // The first second lets the encoder settle, so that the loop's seam is not heard.
  for (let i = 0; i < 2 * FRAMES; i++) {
    const start = (i % FRAMES) * 320
    const packet = encoder.encode(second.subarray(start, start + 320))
    if (i >= FRAMES) frames.push(Buffer.from(packet))
  }
  encoder.free()
  return frames
}

/** Decodes frames to 8000 Hz samples for measuring. */
export interface FrameDecoder {
  /** Undefined when the payload cannot be decoded. */
  decode(payload: Uint8Array): Int16Array | undefined
  free(): void
}

/** A decoder of one codec. Opus decoders hold WASM memory: free them. */
export async function createFrameDecoder(codec: CodecName): Promise<FrameDecoder> {
  if (isG711(codec)) return { decode: (payload) => decodeG711(codec, payload), free: () => {} }
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 })
  return {
    decode(payload) {
      try {
        return decoder.decode(payload)
      } catch {
        return undefined
      }
    },
    free: () => decoder.free(),
  }
}
