import { stat } from 'node:fs/promises'
import { type AudioFile, fileError, loadAudioFile } from './file.ts'

interface Entry {
  /** Changes when the file does. */
  stamp: string
  file: Promise<AudioFile>
  durationMs: number
}

/** Half an hour of audio is about 25 MB. */
const KEPT_MS = 1_800_000

/** Files that have been loaded, by path; loaded again when they change on disk. */
export class AudioLibrary {
  readonly #entries = new Map<string, Entry>()
  readonly #keptMs: number

  /** @param keptMs audio to keep; beyond it the file that was asked for longest ago goes */
  constructor(keptMs = KEPT_MS) {
    this.#keptMs = keptMs
  }

  /**
   * A file by its absolute path. Players of an older version go on with that.
   *
   * @throws CausewayError `MEDIA_FILE_INVALID`
   */
  async get(path: string): Promise<AudioFile> {
    const stamp = await stampOf(path)
    let entry = this.#entries.get(path)
    this.#entries.delete(path)
    if (entry?.stamp !== stamp) entry = { stamp, file: loadAudioFile(path), durationMs: 0 }
    // The end of a Map is what was used last.
    this.#entries.set(path, entry)
    try {
      const file = await entry.file
      entry.durationMs = file.durationMs
      this.#shrink()
      return file
    } catch (error) {
      if (this.#entries.get(path) === entry) this.#entries.delete(path)
      throw error
    }
  }

  #shrink(): void {
    let kept = 0
    for (const entry of this.#entries.values()) kept += entry.durationMs
    for (const [path, entry] of this.#entries) {
      if (kept <= this.#keptMs || this.#entries.size === 1) return
      kept -= entry.durationMs
      this.#entries.delete(path)
    }
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    throw fileError(path, error)
  }
}
