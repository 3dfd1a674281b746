import { Application, createDecoder, createEncoder } from 'libopus-wasm'
import { decodeG711, encodeG711, isG711 } from './g711.ts'
import type { CodecName } from './sdp.ts'
import { sine } from './tone.ts'

/** RTP clock rate by codec; Opus is 48000 whatever it carries (RFC 7587 §4.1). */
export const CLOCK_RATE: Record<CodecName, number> = { opus: 48000, PCMA: 8000, PCMU: 8000 }

/** Samples of the RTP clock in a frame of `ptime` milliseconds. */
export function frameTicks(codec: CodecName, ptime = 20): number {
  return (CLOCK_RATE[codec] * ptime) / 1000
}

/** Milliseconds of audio in a packet; 0 for an empty one. Opus tells it itself (RFC 6716 §3.1). */
export function frameMs(codec: CodecName, payload: Uint8Array): number {
  if (isG711(codec)) return payload.length / 8
  const [toc, count = 0] = payload
  if (toc === undefined) return 0
  const config = toc >> 3
  const ms =
    config < 12
      ? ([10, 20, 40, 60][config % 4] ?? 0)
      : config < 16
        ? [10, 20][config % 2]!
        : ([2.5, 5, 10, 20][config % 4] ?? 0)
  return ms * ([1, 2, 2][toc & 3] ?? count & 0x3f)
}

const MAX_LOOPS = 32
const loops = new Map<string, Promise<Buffer[]>>()

/**
 * A tone as encoded frames, to be sent round and round: encoding once keeps a load test's CPU for
 * the system under test. Shared between endpoints. `ptime` is for G.711; Opus has 20 ms here.
 */
export function toneLoop(
  codec: CodecName,
  frequency: number,
  level: number,
  ptime = 20,
): Promise<Buffer[]> {
  const key = `${codec} ${frequency} ${level} ${ptime}`
  let loop = loops.get(key)
  if (!loop) {
    if (loops.size >= MAX_LOOPS) loops.delete(loops.keys().next().value!)
    loop = isG711(codec)
      ? Promise.resolve(g711Loop(codec, frequency, level, ptime))
      : opusLoop(frequency, level)
    loops.set(key, loop)
  }
  return loop
}

function g711Loop(
  codec: 'PCMA' | 'PCMU',
  frequency: number,
  level: number,
  ptime: number,
): Buffer[] {
  const second = encodeG711(codec, sine(frequency, level, 8000))
  // Whole frames of 30 and 60 ms fill three seconds.
  const all = Buffer.concat([second, second, second])
  const octets = ptime * 8
  return Array.from({ length: Math.floor(all.length / octets) }, (_, i) =>
    all.subarray(i * octets, (i + 1) * octets),
  )
}

const FRAMES = 50

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
