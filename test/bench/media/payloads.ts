import { Application, createEncoder } from 'libopus-wasm'
import { codesOf } from '../../../src/shared/g711.ts'
import { type Mode, transcodes } from './modes.ts'

/** What both sides send, a second of 20 ms frames each. */
export interface Payloads {
  pbx: readonly Uint8Array[]
  whatsapp: readonly Uint8Array[]
  /** Whether they pass the relay untouched, so that a mark in them is found again. */
  marked: boolean
}

const FRAMES = 50

/** Payloads of speech-like sound for a kind of call. */
export async function payloadsFor(mode: Mode): Promise<Payloads> {
  const [pbx, whatsapp] = await Promise.all(
    [mode.pbx, mode.whatsapp].map(({ codec }) =>
      codec.name === 'opus' ? opusPayloads() : Promise.resolve(lawPayloads()),
    ),
  )
  return { pbx: pbx!, whatsapp: whatsapp!, marked: !transcodes(mode) }
}

/** A voice of changing pitch with pauses, one second. */
export function speech(rate: number, seconds = 1): Int16Array {
  let phase = 0
  return Int16Array.from({ length: rate * seconds }, (_, i) => {
    const time = i / rate
    phase += (110 + 30 * Math.sin(5 * time)) / rate
    const voice = [1, 2, 3, 5, 9, 14].reduce(
      (sum, k) => sum + Math.sin(2 * Math.PI * k * phase) / k,
      0,
    )
    return 5000 * voice * Math.max(Math.sin(8 * time), 0)
  })
}

/** One second of A-law. */
export function lawPayloads(): Uint8Array[] {
  const pcm = speech(8000)
  return Array.from({ length: FRAMES }, (_, i) =>
    Uint8Array.from(pcm.subarray(i * 160, (i + 1) * 160), (s) => codesOf('PCMA')[s & 0xffff]!),
  )
}

/** One second of Opus as WhatsApp sends it: wide band, 20 kb/s, FEC. */
export async function opusPayloads(): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 16000,
    channels: 1,
    frameSize: 320,
    application: Application.Voip,
    bitrate: 20000,
    fec: true,
    packetLossPercent: 10,
  })
  const pcm = speech(16000)
  const packets = Array.from({ length: FRAMES }, (_, i) =>
    encoder.encode(pcm.subarray(i * 320, (i + 1) * 320)),
  )
  encoder.free()
  return packets
}
