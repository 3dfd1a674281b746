import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Clock, systemClock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { buildConfig } from './build.ts'
import { CheckContext, rules } from './checks/index.ts'
import { ConfigErrors, type ConfigIssue } from './issue.ts'
import { type FileValues, fileSchema } from './schema/index.ts'
import { keyMeant, schemaIssues } from './schema-issues.ts'
import { type Draft, lenient } from './schema-walk.ts'
import { checkFiles, type ReadFile, readSecretFiles, reasonOf } from './secrets.ts'
import { YamlSource } from './source.ts'
import type { Config } from './types.ts'
import { adaptValues, expandVariables } from './values.ts'
import { yamlIssue } from './yaml-issues.ts'

/** A valid configuration, and what should be noticed about it. */
export interface LoadResult {
  config: Config
  warnings: CausewayError[]
}

export interface LoadOptions {
  /** Variables of `${VAR}`; the process's environment by default. */
  env?: Record<string, string | undefined>
  /** Reads secret and certificate files, and the configuration itself; throws when it cannot. */
  readFile?: ReadFile
  /** What day it is, for holidays; the system's clock by default. */
  clock?: Clock
  /**
   * What a date is that has passed since the file was written: an `error` by default, a `warning`
   * for a start that nobody watches, which must not fail because a holiday is over.
   */
  expired?: 'error' | 'warning'
}

export interface ParseOptions extends LoadOptions {
  /** Name of the file for messages, and what relative paths start from. Default `causeway.yaml`. */
  file?: string
}

const draftSchema = lenient(fileSchema)

/**
 * Reads, validates and types a configuration file.
 *
 * @throws {ConfigErrors} with every error of the file, each with its place `file:line:column key.path`
 */
export function loadConfig(path: string, options: LoadOptions = {}): LoadResult {
  const readFile = options.readFile ?? readText
  let text: string
  try {
    text = readFile(resolve(path))
  } catch (cause) {
    const detail = reasonOf(cause)
    throw new ConfigErrors([
      new CausewayError('CONFIG_FILE_UNREADABLE', { detail, place: path, cause }),
    ])
  }
  return parseConfig(text, { ...options, readFile, file: path })
}

/**
 * Validates and types the text of a configuration.
 *
 * @throws {ConfigErrors} with every error of the text
 */
export function parseConfig(text: string, options: ParseOptions = {}): LoadResult {
  const file = options.file ?? 'causeway.yaml'
  const source = new YamlSource(text.replace(/^\uFEFF/, ''), file)
  const broken = source.errors().map((fault) => yamlIssue(fault, source))
  if (broken.some(({ code }) => code === 'CONFIG_YAML_SYNTAX')) throw new ConfigErrors(broken)

  const variables = expandVariables(source, options.env ?? process.env)
  const root = adaptValues(valuesOf(source) ?? {}, source)
  const strict = fileSchema.safeParse(root)
  const invalid = schemaIssues(strict.error?.issues ?? [], source, root)
  const unset = new Set(variables.map(({ path }) => path))
  const wrong = [...broken, ...variables, ...invalid.filter(({ path }) => !unset.has(path))]

  const draft = (draftSchema.parse(root) ?? {}) as Draft
  const context = new CheckContext(
    draft,
    source,
    root,
    wrong.map((issue) => keyMeant(issue) ?? issue.path),
    { now: (options.clock ?? systemClock).now(), expired: options.expired ?? 'error' },
  )
  const folder = dirname(resolve(file))
  const readFile = options.readFile ?? readText
  readSecretFiles(context, folder, readFile)
  checkFiles(context, folder, readFile)
  for (const rule of rules) rule(context)

  const errors = [...wrong, ...context.errors].sort(byPlace)
  const warnings = context.warnings.sort(byPlace)
  if (errors.length > 0) throw new ConfigErrors(errors, warnings, httpOf(draft, errors))
  return { config: buildConfig(draft as FileValues, resolve(file)), warnings }
}

/** The plain values; aliases that multiply beyond reason are refused like a syntax error. */
function valuesOf(source: YamlSource): unknown {
  try {
    return source.value()
  } catch {
    const fault = { code: 'RESOURCE_EXHAUSTION', start: 0, end: 1 } as const
    throw new ConfigErrors([yamlIssue(fault, source)])
  }
}

/** The section `http` of a file whose errors are in other ones. */
function httpOf({ http }: Draft, errors: readonly ConfigIssue[]): Config['http'] | undefined {
  const wrong = errors.some(({ path }) => path === '' || /^http\b/.test(path))
  return wrong || !http?.listen ? undefined : { listen: http.listen, token: http.token }
}

function byPlace(a: ConfigIssue, b: ConfigIssue): number {
  return a.line - b.line || a.column - b.column
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
