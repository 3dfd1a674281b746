import { CausewayError } from '../../../shared/errors/index.ts'
import { isEvent8000, listNames, sameCodec } from '../../sdp/codecs.ts'
import type { AudioDescription, Codec } from '../../sdp/types.ts'
import { connects, type Format, formatOf } from './formats.ts'

/** Milliseconds of audio in a packet, on both legs: WhatsApp's demand (dossier 6). */
export const PTIME = 20

/** The audio formats of a description that we know, in its order. */
export function formatsIn(audio: AudioDescription): Format[] {
  return audio.codecs.map(formatOf).filter((format) => format !== undefined)
}

/** The codec line of a format in a description. */
export function codecFor(audio: AudioDescription, format: Format): Codec {
  return audio.codecs.find((codec) => formatOf(codec) === format)!
}

/** RFC 4733 events at 8000 Hz, when a description has them; other rates WhatsApp cannot use. */
export function eventIn(audio: AudioDescription): Codec | undefined {
  return audio.codecs.find(isEvent8000)
}

/**
 * The formats the PBX may use of its description. Opus packets cannot be cut or joined, so a PBX
 * that wants other than 20 ms cannot use it; G.711 and G.722 are repacked.
 *
 * @param allowed the trunk's formats, or what our offer had
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`, `MEDIA_PTIME`
 */
export function usableFormats(audio: AudioDescription, allowed: readonly Format[]): Format[] {
  const common = formatsIn(audio).filter((format) => allowed.includes(format))
  if (common.length === 0) {
    throw new CausewayError('MEDIA_NO_COMMON_CODEC', {
      detail: `the PBX has ${listNames(audio.codecs)}; possible ${allowed.join(', ') || 'none'}`,
    })
  }
  if (fitsOpus(audio)) return common
  const repackable = common.filter((format) => format !== 'opus')
  if (repackable.length === 0) {
    throw new CausewayError('MEDIA_PTIME', {
      detail: `opus with ptime ${audio.ptime ?? '-'}, maxptime ${audio.maxptime ?? '-'}`,
    })
  }
  return repackable
}

function fitsOpus({ ptime, maxptime }: AudioDescription): boolean {
  return (ptime === undefined || ptime <= PTIME) && (maxptime === undefined || maxptime >= PTIME)
}

/**
 * What the PBX is offered: the trunk's formats that can reach WhatsApp, those that pass through
 * first, each group in the trunk's order.
 *
 * @param trunk the trunk's formats
 * @param whatsapp formats WhatsApp's leg can have
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`
 */
export function formatsForPbx(
  trunk: readonly Format[],
  whatsapp: readonly Format[],
  transcodes: readonly string[],
): Format[] {
  return reaching(trunk, whatsapp, transcodes)
}

/**
 * What WhatsApp is offered: Opus and the G.711 formats that the number has enabled and the trunk
 * lists, as far as they can reach the PBX; those that pass through first.
 *
 * @param pbx formats the PBX's leg can have
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`
 */
export function formatsForWhatsApp(
  pbx: readonly Format[],
  enabled: readonly Format[],
  trunk: readonly Format[],
  transcodes: readonly string[],
): Format[] {
  const additional = trunk.filter((format) => format !== 'opus' && enabled.includes(format))
  return reaching(['opus', ...additional], pbx, transcodes)
}

function reaching(
  ours: readonly Format[],
  theirs: readonly Format[],
  transcodes: readonly string[],
): Format[] {
  const shared = ours.filter((format) => theirs.includes(format))
  const converted = ours.filter(
    (format) =>
      !theirs.includes(format) && theirs.some((other) => connects(format, other, transcodes)),
  )
  const formats = [...shared, ...converted]
  if (formats.length === 0) {
    throw new CausewayError('MEDIA_NO_COMMON_CODEC', {
      detail: `one side can have ${ours.join(', ') || 'none'}, the other ${theirs.join(', ') || 'none'}`,
    })
  }
  return formats
}

/**
 * The PBX's format in answer to its offer: WhatsApp's own when both have it, else the first of the
 * trunk's that can be converted.
 *
 * @param usable of the PBX's offer
 * @param whatsapp the format WhatsApp's leg has
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`
 */
export function answerForPbx(
  usable: readonly Format[],
  trunk: readonly Format[],
  whatsapp: Format,
  transcodes: readonly string[],
): Format {
  return reaching(
    trunk.filter((format) => usable.includes(format)),
    [whatsapp],
    transcodes,
  )[0]!
}

/**
 * The PBX's format by its answer to our offer: the first that can reach WhatsApp.
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`
 */
export function answeredByPbx(
  usable: readonly Format[],
  whatsapp: readonly Format[],
  transcodes: readonly string[],
): Format {
  const format = usable.find((one) => whatsapp.some((other) => connects(one, other, transcodes)))
  if (format) return format
  throw new CausewayError('MEDIA_NO_COMMON_CODEC', {
    detail: `the PBX answered ${usable.join(', ')}; WhatsApp has ${whatsapp.join(', ')}`,
  })
}

/**
 * WhatsApp's format in answer to its offer: the PBX's when WhatsApp has it, else Opus, else what
 * can be converted. Without a PBX format (nobody has answered yet) Opus.
 *
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`
 */
export function answerForWhatsApp(
  offered: readonly Format[],
  pbx: Format | undefined,
  transcodes: readonly string[],
): Format {
  const opusFirst = [...offered].sort((a, b) => Number(b === 'opus') - Number(a === 'opus'))
  return reaching(opusFirst, pbx === undefined ? opusFirst : [pbx], transcodes)[0]!
}

/**
 * Refuses a format whose payload type differs from WhatsApp's, at an anchor that cannot change it.
 * @throws CausewayError `MEDIA_RENEGOTIATION`
 */
export function demandNumbers(codec: Codec, whatsapp: readonly Codec[]): void {
  const same = whatsapp.find((one) => sameCodec(one, codec))
  if (!same || same.payloadType === codec.payloadType) return
  throw new CausewayError('MEDIA_RENEGOTIATION', {
    detail: `${codec.name} as ${codec.payloadType}; WhatsApp has it as ${same.payloadType}`,
  })
}
