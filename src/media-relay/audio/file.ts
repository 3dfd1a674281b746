import { readFile, stat } from 'node:fs/promises'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import type { Law } from '../../shared/g711.ts'
import { invalid } from './invalid.ts'
import { isOgg } from './ogg.ts'
import { readOggOpus } from './ogg-opus.ts'
import { decodeOggOpus, passedOpus, renderG711, renderOpus } from './render.ts'
import type { PcmSource } from './source.ts'
import { isWav, openWav } from './wav.ts'

/** Codecs a file is there in. */
export type AudioCodec = 'opus' | Law

/** An announcement or music, ready to be sent. */
export interface AudioFile {
  readonly durationMs: number
  /** Payloads of 20 ms, in order; shared, never to be written to. */
  frames(codec: AudioCodec): readonly Uint8Array[]
}

/** Ten minutes, and what they take as stereo WAV of 48000 Hz. */
const MAX_MS = 600_000
const MAX_OCTETS = 112 * 2 ** 20

const FAILURES = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'no permission to read it'],
])

/** First octets of files people try. */
const KNOWN: [string, string][] = [
  ['ID3', 'MP3'],
  ['\xff\xfb', 'MP3'],
  ['fLaC', 'FLAC'],
  ['.snd', 'an AU file'],
  ['RF64', 'RF64'],
  ['FORM', 'AIFF'],
]

/**
 * Loads a file and encodes it in every codec. It is done a millisecond at a time, so that the calls
 * of this thread do not notice; a minute of audio takes about a third of a second of CPU.
 *
 * WAV: PCM of 16 bit, A-law or µ-law, mono or stereo, 8000 to 48000 Hz. Ogg Opus (RFC 7845): packets
 * of 20 ms at up to 64 kb/s are sent as they are, others are encoded anew.
 *
 * @throws CausewayError `MEDIA_FILE_INVALID` with what was found
 */
export async function loadAudioFile(path: string): Promise<AudioFile> {
  try {
    const file = await readWhole(path)
    if (isWav(file)) return await render(openWav(file), undefined)
    if (!isOgg(file)) throw invalid(strange(file))
    const opus = await readOggOpus(file)
    assertDuration(opus.length / 48)
    return await render(await decodeOggOpus(opus), passedOpus(opus))
  } catch (error) {
    throw fileError(path, error)
  }
}

/** `MEDIA_FILE_INVALID` with the path and the reason, whatever went wrong. */
export function fileError(path: string, error: unknown): CausewayError {
  const { code } = error as NodeJS.ErrnoException
  const reason = isCausewayError(error) ? error.detail : FAILURES.get(code ?? '')
  return new CausewayError('MEDIA_FILE_INVALID', {
    detail: reason ?? String(error),
    place: path,
    cause: error,
  })
}

async function readWhole(path: string): Promise<Buffer> {
  const facts = await stat(path)
  if (!facts.isFile()) throw invalid('not a file')
  if (facts.size > MAX_OCTETS) throw invalid(`${Math.round(facts.size / 2 ** 20)} MiB`)
  return await readFile(path)
}

async function render(source: PcmSource, passed: Uint8Array[] | undefined): Promise<AudioFile> {
  const durationMs = Math.round((source.length * 1000) / source.rate)
  assertDuration(durationMs)
  const frames = { ...(await renderG711(source)), opus: passed ?? (await renderOpus(source)) }
  return { durationMs, frames: (codec) => frames[codec] }
}

function assertDuration(ms: number): void {
  if (ms < 1) throw invalid('no audio in it')
  if (ms > MAX_MS) throw invalid(`${Math.round(ms / 1000)} s of audio`)
}

function strange(file: Buffer): string {
  const start = file.toString('latin1', 0, 4)
  const known = KNOWN.find(([magic]) => start.startsWith(magic))?.[1]
  if (file.length === 0) return 'an empty file'
  return known ?? `a file that begins with ${file.toString('hex', 0, 4)}`
}
