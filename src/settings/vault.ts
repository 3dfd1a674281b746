import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { NumberConfig } from '../config/types.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { parseJson } from '../shared/json.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { Secret } from '../shared/secret.ts'
import { open, type Sealed, seal, sealedSchema } from './seal.ts'

/** A SIP password as it was fetched. */
export interface KeptPassword {
  password: Secret
  /** When it was read, milliseconds since the epoch. */
  at: number
}

/** Passwords that outlive the manager that fetched them, or the process. */
export interface CredentialVault {
  /** The password last kept for a number. */
  get(number: NumberConfig): KeptPassword | undefined
  /** Keeps a password; `app` is the app it belongs to, as far as that is known. Never throws. */
  keep(number: NumberConfig, app: string, kept: KeptPassword): void
}

const NAME = 'credentials.json'
/** Milliseconds after which the time of an unchanged password is written again. */
const REWRITE = 3_600_000
const fileSchema = z.object({ version: z.literal(1), records: z.array(sealedSchema) })
const contentSchema = z.object({ password: z.string().min(1), at: z.number().int().nonnegative() })

/** A vault in memory: it serves across reloads. */
export function memoryVault(): CredentialVault {
  const kept = new Map<string, KeptPassword>()
  return {
    get: (number) => kept.get(number.phoneNumberId),
    keep: (number, _app, password) => void kept.set(number.phoneNumberId, password),
  }
}

/**
 * A vault in a file of `folder`. Each password is encrypted by itself (AES-256-GCM, a nonce of its
 * own), bound to its number and app. What cannot be read (another key, a changed file) is logged
 * and left out: the passwords are then fetched again, and the next one kept replaces the file.
 *
 * @param key 32 octets
 */
export function fileVault(
  folder: string,
  key: Buffer,
  deps: { random: Random; log: Logger },
): CredentialVault {
  const { random, log } = deps
  const path = join(folder, NAME)
  const memory = memoryVault()
  /** By number and app; a number that changed its app has two. */
  const records = new Map<string, Sealed>()
  const writtenAt = new Map<string, number>()

  const unreadable = (detail: string, cause?: unknown): void => {
    const err = new CausewayError('SETTINGS_VAULT_UNREADABLE', { detail, place: path, cause })
    log.error({ err }, 'kept sip credentials cannot be read')
  }

  function load(): void {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') unreadable(code ?? 'it cannot be read', error)
      return
    }
    const file = fileSchema.safeParse(parseJson(text))
    if (!file.success) unreadable('it is no file of kept credentials')
    else for (const record of file.data.records) records.set(idOf(record), record)
  }

  function read(number: NumberConfig): KeptPassword | undefined {
    let newest: KeptPassword | undefined
    for (const [id, record] of records) {
      if (record.number !== number.phoneNumberId) continue
      const content = contentSchema.safeParse(parseJson(open(record, key) ?? ''))
      if (!content.success) {
        records.delete(id)
        unreadable(`number ${number.name}, app ${record.app || 'unknown'}`)
      } else if (!newest || content.data.at > newest.at) {
        newest = { password: new Secret(content.data.password), at: content.data.at }
      }
    }
    return newest
  }

  function save(): void {
    const file = { version: 1, records: [...records.values()] }
    const fresh = `${path}.new`
    try {
      writeFileSync(fresh, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
      const descriptor = openSync(fresh, 'r+')
      fsyncSync(descriptor)
      closeSync(descriptor)
      renameSync(fresh, path)
    } catch (cause) {
      const detail = (cause as NodeJS.ErrnoException).code ?? String(cause)
      const err = new CausewayError('SETTINGS_VAULT_UNWRITABLE', { detail, place: path, cause })
      log.error({ err }, 'sip credentials are not kept')
    }
  }

  load()
  return {
    get(number) {
      const known = memory.get(number) ?? read(number)
      if (known) memory.keep(number, '', known)
      return known
    },
    keep(number, app, kept) {
      const same = memory.get(number)?.password.equals(kept.password) ?? false
      memory.keep(number, app, kept)
      const subject = { number: number.phoneNumberId, app }
      const id = idOf(subject)
      // Every check reads the password: one that is the same is written again after an hour only.
      if (same && kept.at - (writtenAt.get(id) ?? Number.NEGATIVE_INFINITY) < REWRITE) return
      const content = JSON.stringify({ password: kept.password.reveal(), at: kept.at })
      records.set(id, seal(subject, content, key, random))
      writtenAt.set(id, kept.at)
      save()
    },
  }
}

function idOf({ number, app }: { number: string; app: string }): string {
  return `${number} ${app}`
}
