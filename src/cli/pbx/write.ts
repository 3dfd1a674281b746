import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { PbxFile } from '../../pbx/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'

/** A file that was written, or was the same before. */
export interface Written {
  path: string
  what: 'written' | 'replaced' | 'unchanged'
}

/**
 * Writes files below a folder, mode 0600, each at once. A file that says something else, because
 * somebody has edited it, is kept unless `force`; then nothing is written at all.
 *
 * @throws CausewayError `APP_PBX_FILE_KEPT`, `APP_PBX_UNWRITABLE`
 */
export function writeFiles(folder: string, files: readonly PbxFile[], force: boolean): Written[] {
  const plan = files.map(({ name, contents }) => {
    const path = join(folder, name)
    return { path, contents, before: read(path) }
  })
  const edited = plan.filter(({ contents, before }) => before !== undefined && before !== contents)
  if (edited.length > 0 && !force) {
    const detail = edited.map(({ path }) => path).join(', ')
    throw new CausewayError('APP_PBX_FILE_KEPT', { detail })
  }
  return plan.map(({ path, contents, before }) => {
    if (before === contents) return { path, what: 'unchanged' }
    write(path, contents)
    return { path, what: before === undefined ? 'written' : 'replaced' }
  })
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined
    throw unwritable(error)
  }
}

function write(path: string, contents: string): void {
  const draft = `${path}.new`
  try {
    mkdirSync(dirname(path), { recursive: true })
    // One that was left behind may have another mode.
    rmSync(draft, { force: true })
    writeFileSync(draft, contents, { mode: 0o600, flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    throw unwritable(error)
  }
}

function unwritable(cause: unknown): CausewayError {
  return new CausewayError('APP_PBX_UNWRITABLE', { detail: (cause as Error).message, cause })
}
