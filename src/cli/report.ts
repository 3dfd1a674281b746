import { ConfigIssue } from '../config/index.ts'
import type { CausewayError } from '../shared/errors/index.ts'
import type { Paint } from './style.ts'

/**
 * An error or warning for people, in the manner of a compiler: what and where, the source line with
 * the place underlined, what was found and expected, why it matters and how to fix it.
 */
export function formatIssue(
  issue: CausewayError,
  severity: 'error' | 'warning',
  paint: Paint,
): string {
  const tone = severity === 'error' ? 'red' : 'yellow'
  const head = paint(tone, `${severity}[${issue.code}]`)
  const { summary, cause, fix } = issue.definition
  const title = issue.detail ? `${summary}: ${issue.detail}` : summary
  const lines = [`${head}: ${paint('bold', title)}`]
  const margin = issue instanceof ConfigIssue ? `${issue.excerpt.line}`.length : 2
  const gutter = ' '.repeat(margin)
  const bar = paint('cyan', '|')
  if (issue.place) lines.push(`${gutter}${paint('cyan', '-->')} ${issue.place}`)
  if (issue instanceof ConfigIssue) {
    const { line, text, column, length } = issue.excerpt
    const under = ' '.repeat(Math.max(0, column - 1)) + paint(tone, '^'.repeat(length))
    const hint = issue.nearest ? ` ${paint(tone, `did you mean ${issue.nearest}?`)}` : ''
    if (text.trim() !== '') {
      lines.push(`${gutter} ${bar}`)
      lines.push(`${paint('cyan', `${line}`)} ${bar} ${text}`)
      lines.push(`${gutter} ${bar} ${under}${hint}`)
    } else if (hint) lines.push(`${gutter} ${bar}${hint}`)
  }
  const notes: [string, string | undefined][] = [
    ['found', issue instanceof ConfigIssue ? issue.found : undefined],
    ['expected', issue instanceof ConfigIssue ? issue.expected : undefined],
    ['cause', cause],
    ['fix', fix],
  ]
  for (const [name, note] of notes) {
    if (note) lines.push(`${gutter} = ${paint('dim', `${name}:`)} ${note}`)
  }
  return `${lines.join('\n')}\n`
}

/** `1 error, 2 warnings`; `no errors` when there is nothing. */
export function formatCounts(errors: number, warnings: number): string {
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
  if (errors === 0 && warnings === 0) return 'no errors, no warnings'
  const parts = []
  if (errors > 0) parts.push(count(errors, 'error'))
  if (warnings > 0) parts.push(count(warnings, 'warning'))
  return parts.join(', ')
}
