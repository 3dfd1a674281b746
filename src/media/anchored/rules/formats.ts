import { sameCodec } from '../../sdp/codecs.ts'
import type { Codec } from '../../sdp/types.ts'

/** Audio formats an anchored call knows, in the configuration's spelling. */
export type Format = 'opus' | 'PCMA' | 'PCMU' | 'G722'

/**
 * Opus as WhatsApp's own descriptions ask for it: mono voice at 16 kHz with forward error correction
 * (dossier 7.2; RFC 7587 §6.1).
 */
export const OPUS_FMTP = 'useinbandfec=1;maxplaybackrate=16000;maxaveragebitrate=20000'

const KNOWN: Record<Format, Codec> = {
  opus: { payloadType: 111, name: 'opus', clockRate: 48000, channels: 2, fmtp: OPUS_FMTP },
  PCMA: { payloadType: 8, name: 'PCMA', clockRate: 8000, channels: undefined, fmtp: undefined },
  PCMU: { payloadType: 0, name: 'PCMU', clockRate: 8000, channels: undefined, fmtp: undefined },
  // 8000 although it samples at 16000 Hz: RFC 3551 §4.5.2.
  G722: { payloadType: 9, name: 'G722', clockRate: 8000, channels: undefined, fmtp: undefined },
}

const FORMATS = Object.keys(KNOWN) as Format[]

/** The format of a codec; undefined for events and for what no anchor carries. */
export function formatOf(codec: Codec): Format | undefined {
  return FORMATS.find((format) => sameCodec(KNOWN[format], codec))
}

/** The formats that are known among configured names, in their order. */
export function formatsOf(names: readonly string[]): Format[] {
  const formats: Format[] = []
  for (const name of names) {
    const format = FORMATS.find((one) => one.toUpperCase() === name.toUpperCase())
    if (format) formats.push(format)
  }
  return formats
}

/** RFC 4733 events 0 to 16 at 8000 Hz, with the payload type usual on that side. */
export function eventCodec(payloadType: number, fmtp: string | undefined): Codec {
  return { payloadType, name: 'telephone-event', clockRate: 8000, channels: undefined, fmtp }
}

/**
 * The formats as an offer of ours lists them. A payload type that means something already keeps its
 * meaning (RFC 3264 §8.3.2); others take their usual number, or the next dynamic one that is free.
 *
 * @param before formats whose numbers are taken; [] on a new leg
 * @param opusParameters instead of {@link OPUS_FMTP}
 */
export function offeredCodecs(
  formats: readonly Format[],
  event: Codec | undefined,
  before: readonly Codec[],
  opusParameters: string | undefined,
): Codec[] {
  const codecs = formats.map((format) => withParameters(KNOWN[format], opusParameters))
  if (event) codecs.push(event)
  const taken = new Set(before.map((codec) => codec.payloadType))
  return codecs.map((codec) => {
    const old = before.find((one) => sameCodec(one, codec))
    if (old) return { ...codec, payloadType: old.payloadType }
    let payloadType = codec.payloadType
    for (let next = 96; taken.has(payloadType); next++) payloadType = next
    taken.add(payloadType)
    return { ...codec, payloadType }
  })
}

/** A codec as our descriptions write it: parameters for Opus alone. */
export function withParameters(codec: Codec, opusParameters: string | undefined): Codec {
  const opus = formatOf(codec) === 'opus'
  return { ...codec, fmtp: opus ? (opusParameters ?? OPUS_FMTP) : undefined }
}

/** Whether audio in `a` can reach a leg that has `b`: the same, or converted. */
export function connects(a: Format, b: Format, transcodes: readonly string[]): boolean {
  const converts = (format: Format): boolean => format === 'opus' || transcodes.includes(format)
  return a === b || (converts(a) && converts(b))
}
