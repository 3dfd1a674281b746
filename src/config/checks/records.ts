import { Secret } from '../../shared/secret.ts'
import { isLoopback } from '../addresses.ts'
import { recordsKey } from '../records-secret.ts'
import type { Path } from '../source.ts'
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
    found: 'another secret',
    expected: '64 hex digits, or base64 of 32 octets',
  })
}

/** What is pushed comes out of the history, is signed, and holds phone numbers. */
const push: Rule = (context) => {
  const { push: target, history } = context.draft.records ?? {}
  const path: Path = ['records', 'push']
  if (!target) return
  const wrong = ['secret', 'secret_file'].some((key) => context.isWrong([...path, key]))
  if (target.secret === undefined && !wrong) {
    const expected = `secret: \${CDR_SECRET}, or secret_file`
    const facts = { path, atKey: true, detail: 'records.push', found: 'no secret', expected }
    context.error('CONFIG_EVENT_SECRET', facts)
  }
  if (history === false) {
    context.error('CONFIG_RECORDS_PUSH', {
      path,
      atKey: true,
      detail: 'records.history is false',
      found: 'push, and history: false',
      expected: 'history: true, or no push',
    })
  }
  const url = target.url === undefined ? undefined : new URL(target.url)
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  if (url?.protocol !== 'http:' || isLoopback(host)) return
  context.warn('CONFIG_EVENT_PLAIN', { path: [...path, 'url'], detail: url.host })
}

export const recordsRules: readonly Rule[] = [secretIsKey, push]
