import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
} from 'libopus-wasm'
import { codesOf } from '../../shared/g711.ts'
import { FRAME_SAMPLES, silenceFrame } from './frame.ts'
import { Reserve } from './reserve.ts'
import type { FrameDecoder, FrameEncoder, FrameSink } from './types.ts'

/** Instances of each kind that are kept ready: more calls than start within one turn. */
const READY = 8
/** G.711 on the other side carries 4 kHz: libopus resamples nothing and costs a quarter. */
const SAMPLE_RATE = 8000
/** WhatsApp's `maxaveragebitrate`; below about 18000 libopus leaves the redundancy out. */
const BITRATE = 20_000
/** RFC 6716 §3.4, the longest frame. */
const MAX_PACKET = 1275

const decoders = new Reserve(() => createDecoder({ sampleRate: SAMPLE_RATE, channels: 1 }), READY)
const encoders = new Reserve(
  () =>
    createEncoder({
      sampleRate: SAMPLE_RATE,
      channels: 1,
      frameSize: FRAME_SAMPLES,
      application: Application.Voip,
      bitrate: BITRATE,
      fec: true,
      packetLossPercent: 10,
    }),
  READY,
)
let loaded = false

/**
 * Loads libopus (WebAssembly) into this thread and makes codecs and tables ready. To be awaited before the first
 * transcoder; later calls cost nothing.
 */
export async function loadCodecs(): Promise<void> {
  for (const law of ['PCMA', 'PCMU'] as const) codesOf(law)
  await Promise.all([decoders.fill(), encoders.fill()])
  loaded = true
}

function assertLoaded(): void {
  if (!loaded) throw new Error('loadCodecs() has not been awaited in this thread')
}

const NOTHING = new Int16Array(FRAME_SAMPLES)
const RECOVER = { decodeFec: true, frameSize: FRAME_SAMPLES }

/** Opus of any frame size, mono or stereo, to samples; PLC and FEC are libopus's. */
export class OpusDecoder implements FrameDecoder {
  pcm: Int16Array = NOTHING
  #decoder: OpusDecoderHandle | undefined
  #freed = false

  constructor() {
    assertLoaded()
    this.#decoder = decoders.take((decoder) => {
      if (this.#freed) decoder.free()
      else this.#decoder = decoder
    })
  }

  decode(packet: Uint8Array, start: number, end: number): number {
    if (!this.#decoder || end <= start) return 0
    try {
      this.pcm = this.#decoder.decode(packet.subarray(start, end))
      return this.pcm.length
    } catch {
      return 0
    }
  }

  conceal(samples: number): number {
    try {
      this.pcm = this.#decoder?.decodePacketLoss(samples) ?? NOTHING
    } catch {
      this.pcm = NOTHING
    }
    return this.pcm.length
  }

  recover(packet: Uint8Array, start: number, end: number): number {
    if (!this.#decoder || end <= start) return this.conceal(FRAME_SAMPLES)
    try {
      this.pcm = this.#decoder.decode(packet.subarray(start, end), RECOVER)
      return this.pcm.length
    } catch {
      return this.conceal(FRAME_SAMPLES)
    }
  }

  free(): void {
    this.#freed = true
    this.#decoder?.free()
    this.#decoder = undefined
  }
}

/** What may differ between two encoders. */
export interface OpusSettings {
  /** 0 to 10: quality against time. */
  complexity: number
  /** Format parameters of the receiver (RFC 7587 §6.1): bit rate, FEC and CBR are obeyed. */
  fmtp: string | undefined
}

const LIMITS = { maxPacketBytes: MAX_PACKET }

/** Samples to Opus, narrow band, 20 ms. */
export class OpusEncoder implements FrameEncoder {
  #encoder: OpusEncoderHandle | undefined
  #freed = false

  constructor(settings: OpusSettings) {
    assertLoaded()
    const ready = (encoder: OpusEncoderHandle): OpusEncoderHandle => adjust(encoder, settings)
    const encoder = encoders.take((late) => {
      if (this.#freed) late.free()
      else this.#encoder = ready(late)
    })
    if (encoder) this.#encoder = ready(encoder)
  }

  encode(pcm: Int16Array, frame: FrameSink): void {
    let payload = silenceFrame('opus')
    try {
      payload = this.#encoder?.encode(pcm, LIMITS) ?? payload
    } catch {
      // Silence keeps the stream alive.
    }
    frame(payload, payload.length)
  }

  free(): void {
    this.#freed = true
    this.#encoder?.free()
    this.#encoder = undefined
  }
}

function adjust(encoder: OpusEncoderHandle, settings: OpusSettings): OpusEncoderHandle {
  const { fmtp } = settings
  const rate = Number(parameter(fmtp, 'maxaveragebitrate') ?? BITRATE)
  encoder.setComplexity(settings.complexity)
  if (rate >= 6000 && rate < BITRATE) encoder.setBitrate(Math.floor(rate))
  if (parameter(fmtp, 'useinbandfec') === '0') encoder.setFec(false)
  if (parameter(fmtp, 'cbr') === '1') encoder.setVbr(false)
  return encoder
}

function parameter(fmtp: string | undefined, name: string): string | undefined {
  for (const pair of fmtp?.split(';') ?? []) {
    const [key, value] = pair.split('=')
    if (key?.trim().toLowerCase() === name) return value?.trim()
  }
  return undefined
}
