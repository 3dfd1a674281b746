import type { Codec } from './types.ts'

/** Whether two payload formats are the same codec (RFC 3264 §6.1: name, clock rate, channels). */
export function sameCodec(a: Codec, b: Codec): boolean {
  return (
    a.name.toLowerCase() === b.name.toLowerCase() &&
    a.clockRate === b.clockRate &&
    (a.channels ?? 1) === (b.channels ?? 1)
  )
}

/** RFC 4733 events at 8000 Hz, the only ones WhatsApp knows (dossier: 48000 is unsupported). */
export function isEvent8000(codec: Codec): boolean {
  return isEvent(codec) && codec.clockRate === 8000
}

/** RFC 4733 events at any rate. */
export function isEvent(codec: Codec): boolean {
  return codec.name.toLowerCase() === 'telephone-event'
}

/** Whether a codec's name is in a list of names, without regard to case. */
export function named(codec: Codec, names: readonly string[]): boolean {
  const name = codec.name.toLowerCase()
  return names.some((allowed) => allowed.toLowerCase() === name)
}

/** Names of the audio codecs, for messages: `opus, PCMA`. */
export function listNames(codecs: readonly Codec[]): string {
  const names = codecs.filter((codec) => !isEvent(codec)).map((codec) => codec.name)
  return names.length > 0 ? names.join(', ') : 'none'
}
