/** Takes one payload of 20 ms: its first `octets` octets. The array is only valid meanwhile. */
export type FrameSink = (payload: Uint8Array, octets: number) => void

/** Turns payloads of one codec into 16-bit samples at 8000 Hz, which it leaves in `pcm`. */
export interface FrameDecoder {
  /** The samples of the last call, from its beginning. */
  readonly pcm: Int16Array
  /** Samples in `pcm`; 0 when the payload is of no use. Never throws. */
  decode(packet: Uint8Array, start: number, end: number): number
  /** Invents `samples` samples that follow what was heard last. */
  conceal(samples: number): number
  /** The 20 ms before a packet out of its redundancy, or invented. */
  recover(packet: Uint8Array, start: number, end: number): number
  free(): void
}

/** Turns 20 ms of samples at 8000 Hz into a payload. */
export interface FrameEncoder {
  encode(pcm: Int16Array, frame: FrameSink): void
  free(): void
}
