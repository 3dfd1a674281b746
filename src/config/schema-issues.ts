import type { z } from 'zod'
import { editDistance, nearest } from '../shared/nearest.ts'
import { ConfigIssue } from './issue.ts'
import { maskLine } from './mask.ts'
import { fileSchema } from './schema/index.ts'
import { factsAt, keyPaths, knownKeys, schemaAt } from './schema-walk.ts'
import { formatPath, type Path, type YamlSource } from './source.ts'

type Raw = z.core.$ZodIssue

/** What is needed to put a zod issue into words. */
interface Ground {
  source: YamlSource
  /** The file's values before validation. */
  root: unknown
}

/** Zod's issues as coded errors with place, finding, expectation and nearest known key or value. */
export function schemaIssues(issues: readonly Raw[], source: YamlSource, root: unknown) {
  const ground = { source, root }
  const found = issues.flatMap((issue) => translate(issue, issue.path as Path, ground))
  const meant = new Set(found.map(keyMeant))
  return found.filter(({ code, path }) => code !== 'CONFIG_MISSING_KEY' || !meant.has(path))
}

/** The key path an unknown key most likely stands for; undefined for every other issue. */
export function keyMeant({ code, path, found, nearest }: ConfigIssue): string | undefined {
  if (code !== 'CONFIG_UNKNOWN_KEY' || nearest === undefined) return undefined
  return path.slice(0, -(found ?? '').length) + nearest
}

function translate(issue: Raw, path: Path, ground: Ground): ConfigIssue[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, ground))
    case 'invalid_union':
      return union(issue, path, ground)
    case 'invalid_value':
      return [badWord(issue.values.map(String), path, ground)]
    case 'custom': {
      const { expected, meant } = (issue.params ?? {}) as { expected?: string; meant?: string }
      return [badValue(path, ground, issue.message, expected, meant)]
    }
    case 'invalid_key':
      return [badKey(issue.issues[0], path, ground)]
    case 'invalid_type':
      return [wrongType(issue.expected, path, ground)]
    default:
      return [badValue(path, ground, sizeProblem(issue), expectedAt(path) ?? rightSize(issue))]
  }
}

/** Of the branches of a union, the one the value was meant for; without one, the union as a whole. */
function union(issue: z.core.$ZodIssueInvalidUnion, path: Path, ground: Ground): ConfigIssue[] {
  const meant = issue.errors.filter((branch) =>
    branch.every(({ code, path }) => path.length > 0 || !/^invalid_(type|value)$/.test(code)),
  )
  if (meant.length === 1) {
    return meant[0]!.flatMap((inner) =>
      translate(inner, [...path, ...(inner.path as Path)], ground),
    )
  }
  const words = issue.errors.flatMap(([first]) =>
    first?.code === 'invalid_value' ? first.values.map(String) : [],
  )
  if (words.length > 0 && typeof valueAt(ground.root, path) === 'string') {
    return [badWord(words, path, ground)]
  }
  return [wrongType('string', path, ground)]
}

function unknownKey(key: string, parent: Path, ground: Ground): ConfigIssue {
  const path = [...parent, key]
  const known = knownKeys(schemaAt(fileSchema, parent))
  const places = placesOf(key)
  const similar = nearest(key, known)
  const misplaced = places.length > 0 && (!similar || editDistance(key, similar) > 1)
  const close = misplaced ? undefined : similar
  const where = parent.length > 0 ? ` in ${formatPath(parent)}` : ' at the top of the file'
  const hint = misplaced ? `; that key belongs to ${places.join(' or ')}` : ''
  return new ConfigIssue('CONFIG_UNKNOWN_KEY', ground.source, {
    path,
    atKey: true,
    detail: `${key}${where}${hint}`,
    found: key,
    expected: known.length > 0 ? `one of ${known.join(', ')}` : undefined,
    nearest: close,
  })
}

/** Objects of the schema that do have the key. */
function placesOf(key: string): string[] {
  return keyPaths(fileSchema)
    .filter((path) => path.split('.').at(-1) === key)
    .map((path) => path.slice(0, -key.length - 1) || 'the top of the file')
    .slice(0, 3)
}

function badWord(words: string[], path: Path, ground: Ground): ConfigIssue {
  const value = valueAt(ground.root, path)
  if (value === undefined || value === null) return wrongType('string', path, ground)
  const close = typeof value === 'string' ? nearest(value, words) : undefined
  const expected = expectedAt(path) ?? `one of ${words.join(', ')}`
  return badValue(path, ground, 'this word is not known here', expected, close)
}

function badValue(
  path: Path,
  ground: Ground,
  why: string,
  expected: string | undefined,
  meant?: string | undefined,
): ConfigIssue {
  const shown = foundAt(path, ground)
  return new ConfigIssue('CONFIG_BAD_VALUE', ground.source, {
    path,
    detail: `${formatPath(path)}: ${why}`,
    found: shown.text,
    expected: expected ?? expectedAt(path),
    nearest: shown.literal ? meant : undefined,
  })
}

/** A key of a free mapping that is not acceptable itself. */
function badKey(issue: Raw | undefined, path: Path, { source }: Ground): ConfigIssue {
  const parent = path.slice(0, -1)
  return new ConfigIssue('CONFIG_BAD_VALUE', source, {
    path,
    atKey: true,
    detail: `${formatPath(parent)}: the name of a key: ${issue ? sizeProblem(issue) : 'unfit'}`,
    found: cut(String(path.at(-1))),
    expected: expectedAt(parent),
  })
}

function wrongType(type: string, path: Path, ground: Ground): ConfigIssue {
  const value = valueAt(ground.root, path)
  const expected = expectedAt(path) ?? TYPES[type] ?? type
  const key = formatPath(path)
  if (value === undefined) {
    return new ConfigIssue('CONFIG_MISSING_KEY', ground.source, {
      path,
      atKey: true,
      detail: key,
      found: 'nothing',
      expected,
    })
  }
  const facts = factsAt(fileSchema, path)
  const { text, literal } = foundAt(path, ground)
  const scalar = typeof value === 'number' || typeof value === 'boolean'
  if (facts?.quotable && scalar) {
    const written = ground.source.written(path)?.text ?? String(value)
    const plus = path.at(-1) === 'phone_number' && !written.startsWith('+') ? '+' : ''
    return new ConfigIssue('CONFIG_NOT_QUOTED', ground.source, {
      path,
      detail: `${key} is read as a ${typeof value === 'number' ? 'number' : 'truth value'}`,
      found: text,
      expected,
      nearest: literal && !facts.secret ? `"${plus}${written}"` : undefined,
    })
  }
  const yes = type === 'boolean' && /^(yes|on)$/i.test(String(value))
  const list = type === 'array' && typeof value === 'string' && literal
  const no = type === 'boolean' && /^(no|off)$/i.test(String(value))
  return new ConfigIssue('CONFIG_WRONG_TYPE', ground.source, {
    path,
    detail: `${key || 'the file'} is ${kindOf(value)}`,
    found: text,
    expected,
    nearest: yes ? 'true' : no ? 'false' : list ? `[${text}]` : undefined,
  })
}

const TYPES: Record<string, string> = {
  object: 'a mapping of keys',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  record: 'a mapping of keys',
}

function expectedAt(path: Path): string | undefined {
  return factsAt(fileSchema, path)?.expected
}

function sizeProblem(issue: Raw): string {
  if (issue.code === 'too_small') {
    if (issue.origin === 'string') return 'it is empty'
    return issue.origin === 'array' ? 'the list is empty' : `at least ${issue.minimum} is needed`
  }
  if (issue.code === 'too_big' && issue.origin === 'array') {
    return issue.maximum === 0 ? 'the list is not empty' : `more than ${issue.maximum} entries`
  }
  if (issue.code === 'too_big' && issue.origin === 'string') {
    return `more than ${issue.maximum} characters`
  }
  if (issue.code === 'too_big') return `more than ${issue.maximum} is too much`
  return issue.message
}

/** What a list or text of the wrong size should be, where its key has no words of its own. */
function rightSize(issue: Raw): string | undefined {
  if (issue.code === 'too_small') return issue.origin === 'array' ? 'one entry or more' : 'a value'
  return issue.code === 'too_big' ? `at most ${issue.maximum}` : undefined
}

/** What stands in the file, fit to be shown: no secret, no variable's value. */
function foundAt(path: Path, { source, root }: Ground): { text: string; literal: boolean } {
  const value = valueAt(root, path)
  if (factsAt(fileSchema, path)?.secret) return { text: '[redacted]', literal: false }
  const written = source.written(path)
  if (written?.text.includes(`\${`)) return { text: cut(written.text), literal: false }
  if (typeof value === 'object' || value === undefined) {
    return { text: kindOf(value), literal: false }
  }
  // A URL may hold a password, where none belongs.
  const shown = maskLine(written?.text ?? JSON.stringify(value), 1).text
  return { text: cut(shown), literal: true }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'boolean') return 'a truth value'
  return typeof value === 'number' ? 'a number' : 'text'
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) value = (value as Record<string | number, unknown> | undefined)?.[step]
  return value
}
