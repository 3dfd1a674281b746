import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/types.ts'
import { Secret } from '../shared/secret.ts'

/** What a new configuration changes, as key paths. */
export interface ConfigChanges {
  /** Taken at once, for calls to come. */
  applied: string[]
  /** Taken at the next start. */
  restart: string[]
}

/** Keys that can change under way: they are read for each call or request, or handed on by a reload. */
const LIVE: readonly string[] = [
  'numbers',
  'trunks',
  'limits',
  'sip.tls',
  'sip.external_address',
  'media.external_address',
  'media.hold_music',
  'http.token',
  'whatsapp.challenge',
  'whatsapp.sources',
  'whatsapp.check_interval',
  'whatsapp.credentials_interval',
  'whatsapp.webhooks',
  'events',
  'log',
  'trace',
]

/** Keys whose own keys are told apart in messages, or stand elsewhere in the file. */
const NESTED: readonly string[] = ['whatsapp.webhooks', 'records.calls']

/** Why a key waits for the next start. */
const REASONS: Readonly<Record<string, string>> = {
  'sip.domain': 'calls in progress, the certificate and the server stored with WhatsApp carry it',
  'sip.listen': 'sockets are bound at the start',
  'sip.server': 'the SIP server holds the dialogs of every call',
  'media.relay': 'the relay holds the audio of every call',
  'media.rtpengine': 'the relay holds the audio of every call',
  'media.listen': 'sockets are bound by the workers, which start once',
  'media.ports': 'the range is shared out among the workers, which start once',
  'media.workers': 'the range is shared out among the workers, which start once',
  'media.sockets': 'sockets are bound by the workers, which start once',
  'media.transcoding': 'it is shared out among the workers, which start once',
  whatsapp: 'connections and passwords belong to the WhatsApp they were made for',
  'http.listen': 'sockets are bound at the start',
  records: 'what is kept is opened at the start',
  telemetry: 'the exporter is loaded at the start',
}

/** Why a key path waits for the next start, for an operator. */
export function restartReason(path: string): string {
  const key = [path, path.split('.')[0]!].find((one) => one in REASONS)
  return key === undefined ? 'it is read at the start' : REASONS[key]!
}

/** File spellings of the typed configuration's keys, for messages an operator reads. */
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The key of the file behind a key of the typed configuration, where they differ. */
function fileKey(path: string): string {
  return path
    .replace(/^records\.calls$/, 'records.history')
    .replace(/^records\.calls\./, 'records.')
}

const isLive = (path: string): boolean =>
  LIVE.some((key) => path === key || path.startsWith(`${key}.`))

/** Compares two configurations, key by key of their sections. */
export function configChanges(before: Config, after: Config): ConfigChanges {
  const changes: ConfigChanges = { applied: [], restart: [] }
  for (const section of Object.keys(after) as (keyof Config)[]) {
    if (section === 'file') continue
    for (const path of changedPaths(section, before[section], after[section])) {
      changes[isLive(path) ? 'applied' : 'restart'].push(fileKey(path))
    }
  }
  return changes
}

/** The configuration that runs after a reload: keys that need a restart keep their running values. */
export function reloadedConfig(before: Config, after: Config): Config {
  const sections = Object.entries(after).map(([name, value]) => {
    const section = snake(name)
    const running = before[name as keyof Config]
    if (isLive(section)) return [name, value]
    if (!isObject(running) || Array.isArray(running) || !isObject(value)) return [name, running]
    const keys = Object.entries({ ...running, ...value }).map(([key]) => {
      const live = isLive(`${section}.${snake(key)}`)
      const from: Record<string, unknown> = live ? value : running
      return [key, from[key]]
    })
    return [name, Object.fromEntries(keys)]
  })
  return Object.fromEntries(sections) as Config
}

function changedPaths(section: string, before: unknown, after: unknown): string[] {
  if (same(before, after)) return []
  if (Array.isArray(after) || !isObject(before) || !isObject(after)) return [snake(section)]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys]
    .filter((key) => !same(before[key], after[key]))
    .flatMap((key) => {
      const path = `${snake(section)}.${snake(key)}`
      return NESTED.includes(path) ? changedPaths(path, before[key], after[key]) : [path]
    })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Deep equality that looks into secrets, which compare as equal objects otherwise. */
function same(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.equals(b)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item, b[index]))
  }
  if (isObject(a) && isObject(b) && !(a instanceof Secret) && !(b instanceof Secret)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    return [...keys].every((key) => same(a[key], b[key]))
  }
  return isDeepStrictEqual(a, b)
}

/** Whether the settings of numbers have to be looked at again, or at other intervals. */
export function numbersChanged(before: Config, after: Config): boolean {
  const intervals = ({ whatsapp }: Config) => [whatsapp.checkInterval, whatsapp.credentialsInterval]
  return !same(before.numbers, after.numbers) || !same(intervals(before), intervals(after))
}
