import { Secret } from '../../shared/secret.ts'
import { recordsKey } from '../records-secret.ts'
import type { Rule } from './context.ts'

/** The key of what is kept at rest has to be one. Its value is never shown. */
const secretIsKey: Rule = (context) => {
  const secret: unknown = context.draft.records?.secret
  if (!(secret instanceof Secret) || recordsKey(secret.reveal())) return
  const key = context.given(['records', 'secret_file']) ? 'secret_file' : 'secret'
  context.error('CONFIG_RECORDS_SECRET', {
    path: ['records', key],
    atKey: true,
    detail: `records.${key}`,
    expected: '64 hex digits, or base64 of 32 octets',
  })
}

export const recordsRules: readonly Rule[] = [secretIsKey]
