import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { type Config, type LoadOptions, type LoadResult, loadConfig } from '../config/index.ts'
import type { Io } from './io.ts'
import { formatIssue } from './report.ts'
import { paintFor } from './style.ts'

/** The options of every verb that reads a configuration. */
export const CONFIG_OPTION = {
  config: { type: 'string', short: 'c', default: 'causeway.yaml' },
} as const

/** What help pages say about them. */
export const CONFIG_USAGE = '  -c, --config FILE   configuration file (default: causeway.yaml)'

/**
 * Loads a configuration named on the command line. Messages show the path as seen from `io.cwd`.
 *
 * @throws {ConfigErrors} which `main` prints, with exit code 78
 */
export function load(file: string, io: Io, options: Pick<LoadOptions, 'expired'> = {}): LoadResult {
  const path = resolve(io.cwd, file)
  const shown = relative(process.cwd(), path)
  return loadConfig(shown.startsWith('..') ? path : shown, {
    env: io.env,
    readFile: (name) => readFileSync(name, 'utf8'),
    ...options,
  })
}

/** {@link load} for verbs that go on with the configuration: warnings are printed on stderr. */
export function loadAndWarn(
  file: string,
  io: Io,
  options: Pick<LoadOptions, 'expired'> = {},
): Config {
  const { config, warnings } = load(file, io, options)
  const paint = paintFor(io.stderr, io.env)
  for (const warning of warnings) io.stderr.write(`${formatIssue(warning, 'warning', paint)}\n`)
  return config
}
