import { samplesOf } from '../../shared/g711.ts'
import { invalid } from './invalid.ts'
import { type PcmSource, pcmSource } from './source.ts'

/** Format tags of the `fmt ` chunk; the first three can be played. */
const TAGS = new Map([
  [1, 'PCM'],
  [6, 'A-law'],
  [7, 'µ-law'],
  [2, 'MS ADPCM'],
  [3, 'floating point'],
  [0x11, 'IMA ADPCM'],
  [0x31, 'GSM'],
  [0x55, 'MP3'],
])
/** Rates that are in use; an odd one would need a filter of megabytes. */
const RATES = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
const EXTENSIBLE = 0xfffe
/** Sizes from here on are what a program writes that cannot know them (a pipe). */
const UNKNOWN_SIZE = 0x7fff0000

interface Format {
  tag: number
  channels: number
  rate: number
  bits: number
}

/** Whether a file begins as a WAV file does. */
export function isWav(file: Buffer): boolean {
  return file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WAVE'
}

/**
 * Opens a WAV file: PCM of 16 bit or G.711, mono or stereo, 8000 to 48000 Hz.
 *
 * @throws CausewayError `MEDIA_FILE_INVALID`
 */
export function openWav(file: Buffer): PcmSource {
  let format: Format | undefined
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString('latin1', at, at + 4)
    const size = file.readUInt32LE(at + 4)
    const start = at + 8
    if (id === 'fmt ') format = readFormat(file, start, size)
    if (id === 'data') {
      if (!format) throw invalid('WAV whose data chunk comes before its fmt chunk')
      return openData(file, start, size, format)
    }
    // Chunks begin at even places.
    at = start + size + (size % 2)
  }
  throw invalid(format ? 'WAV without a data chunk' : 'WAV without a fmt chunk')
}

function readFormat(file: Buffer, start: number, size: number): Format {
  if (size < 16 || start + size > file.length) throw invalid('WAV with a broken fmt chunk')
  const tag = file.readUInt16LE(start)
  return {
    // The extensible form keeps the tag in the first octets of its sub-format.
    tag: tag === EXTENSIBLE && size >= 40 ? file.readUInt16LE(start + 24) : tag,
    channels: file.readUInt16LE(start + 2),
    rate: file.readUInt32LE(start + 4),
    bits: file.readUInt16LE(start + 14),
  }
}

function openData(file: Buffer, start: number, size: number, format: Format): PcmSource {
  const { tag, channels, rate, bits } = format
  const name = TAGS.get(tag) ?? `format 0x${tag.toString(16)}`
  const expected = tag === 1 ? 16 : 8
  if (!['PCM', 'A-law', 'µ-law'].includes(name) || bits !== expected) {
    throw invalid(`WAV with ${bits} bit ${name}`)
  }
  if (channels !== 1 && channels !== 2) throw invalid(`WAV with ${channels} channels`)
  if (!RATES.includes(rate)) throw invalid(`WAV with ${rate} Hz`)
  const there = file.length - start
  if (size > there && size < UNKNOWN_SIZE) {
    throw invalid(`WAV that should have ${size} octets of audio and has ${there}`)
  }
  const octets = Math.min(size, there)
  const block = channels * (bits / 8)
  const length = Math.floor(octets / block)
  const sample = sampleReader(file, start, tag)
  return channels === 1
    ? pcmSource(rate, length, sample)
    : pcmSource(rate, length, (index) => (sample(2 * index) + sample(2 * index + 1)) / 2)
}

function sampleReader(file: Buffer, start: number, tag: number): (index: number) => number {
  if (tag === 1) {
    const view = new DataView(file.buffer, file.byteOffset + start)
    return (index) => view.getInt16(2 * index, true)
  }
  const table = samplesOf(tag === 6 ? 'PCMA' : 'PCMU')
  return (index) => table[file[start + index]!]!
}
