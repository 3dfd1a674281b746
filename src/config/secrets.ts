import { resolve } from 'node:path'
import { Secret } from '../shared/secret.ts'
import type { CheckContext } from './checks/context.ts'
import { SECRET_KEYS } from './mask.ts'
import type { Path } from './source.ts'

/** Reads a file as UTF-8 text; throws when it cannot. */
export type ReadFile = (path: string) => string

/**
 * Puts the secrets given as `<key>_file` into the draft, read relative to `folder`, one trailing
 * newline dropped. A secret given both ways, an unreadable and an empty file are errors.
 */
export function readSecretFiles(context: CheckContext, folder: string, readFile: ReadFile): void {
  const visit = (node: unknown, path: Path): void => {
    if (typeof node !== 'object' || node === null) return
    const record = node as Record<string, unknown>
    for (const [key, value] of Object.entries(record)) {
      const step = Array.isArray(node) ? Number(key) : key
      if (typeof value === 'object') visit(value, [...path, step])
      const name = key.endsWith('_file') ? key.slice(0, -5) : ''
      if (!SECRET_KEYS.has(name) || typeof value !== 'string') continue
      if (record[name] !== undefined) {
        const detail = `${name} and ${key}`
        context.error('CONFIG_SECRET_TWICE', {
          path: [...path, key],
          atKey: true,
          detail,
          found: 'both',
          expected: `${name} or ${key}`,
        })
        continue
      }
      const secret = read(context, [...path, key], resolve(folder, value), readFile)
      if (secret !== undefined) record[name] = new Secret(secret)
    }
  }
  visit(context.draft, [])
}

/** Warns about files that cannot be read now. */
export function checkFiles(context: CheckContext, folder: string, readFile: ReadFile): void {
  const { sip, whatsapp, media, numbers, trunks } = context.draft
  const named: [Path, string | undefined][] = [
    [['sip', 'tls', 'cert'], sip?.tls?.cert],
    [['sip', 'tls', 'key'], sip?.tls?.key],
    [['whatsapp', 'ca'], whatsapp?.ca],
    [['media', 'hold_music'], media?.hold_music],
    ...(numbers ?? []).flatMap((number, index): [Path, string | undefined][] => {
      const path: Path = ['numbers', index, 'inbound']
      const routes = (number?.inbound?.routes ?? []).map(
        (route, position): [Path, string | undefined] => [
          [...path, 'routes', position, 'announcement'],
          route?.announcement,
        ],
      )
      return [[[...path, 'announcement'], number?.inbound?.announcement], ...routes]
    }),
    ...(trunks ?? []).flatMap((trunk, index) =>
      (['cert', 'key', 'ca'] as const).map((key): [Path, string | undefined] => [
        ['trunks', index, 'tls', key],
        trunk?.tls?.[key],
      ]),
    ),
  ]
  for (const [path, file] of named) {
    if (file === undefined) continue
    const problem = failure(() => readFile(resolve(folder, file)))
    if (problem) context.warn('CONFIG_FILE_MISSING', { path, ...problem })
  }
}

function read(
  context: CheckContext,
  path: Path,
  file: string,
  readFile: ReadFile,
): string | undefined {
  let text = ''
  const problem = failure(() => {
    text = readFile(file).replace(/\r?\n$/, '')
  })
  if (!problem && text !== '') return text
  const expected = 'a file with the secret that Causeway can read'
  const found = `${file}${problem ? '' : ', which is empty'}`
  const facts = problem ?? { detail: 'the file is empty' }
  context.error('CONFIG_SECRET_FILE', { path, ...facts, found, expected })
  context.hold(path)
  return undefined
}

function failure(action: () => unknown): { detail: string; cause: unknown } | undefined {
  try {
    action()
    return undefined
  } catch (cause) {
    return { detail: reasonOf(cause), cause }
  }
}

/** What the system says of files, in words. */
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** Why a file could not be read; no more of the error, whose message may hold what was read. */
export function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? (REASONS[code] ?? code) : 'it cannot be read'
}
