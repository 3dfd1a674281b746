import type { NumberConfig } from '../../config/types.ts'
import type { PlanNote, PlanStep, SettingsDifference } from '../../settings/index.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import type { Paint } from '../style.ts'
import { printable } from '../text.ts'
import type { NumberResult } from './session.ts'
import { differenceLines, valueText } from './value-text.ts'

/** `support  +441632960123`, and what is to be said at once. */
export function headLine(number: NumberConfig, said: string, paint: Paint): string {
  const head = `${paint('bold', number.name)}  ${number.phoneNumber}`
  return said ? `${head}  ${said}` : head
}

/** The differences of a step and what its request carries over, replaces or loses. */
export function stepLines(
  { differences, notes }: Pick<PlanStep, 'differences' | 'notes'>,
  paint: Paint,
): string[] {
  return [
    ...differencesLines(differences, paint),
    ...notes.flatMap((note) => noteLines(note, paint)),
  ]
}

/** Differences with their values in one column. */
export function differencesLines(
  differences: readonly SettingsDifference[],
  paint: Paint,
): string[] {
  const width = Math.max(0, ...differences.map(({ path }) => path.length))
  return differences.flatMap((difference) => differenceLines(difference, width, paint))
}

const FATES = {
  carried: ['dim', '=', 'written again as it is'],
  replaced: ['yellow', '!', 'is replaced'],
  lost: ['red', '!', 'is lost'],
} as const

function noteLines({ path, value, fate, why }: PlanNote, paint: Paint): string[] {
  const [tone, mark, said] = FATES[fate]
  return [
    `${paint(tone, `${mark} ${printable(path)} ${said}: ${valueText(value)}`)}`,
    paint('dim', `    ${why}`),
  ]
}

/** A warning or error of the catalogue in two lines: what it is, and what to do. */
export function issueLines(issue: CausewayError, tone: 'yellow' | 'red', paint: Paint): string[] {
  const { summary, fix } = issue.definition
  const what = issue.detail ? `${summary}: ${printable(issue.detail)}` : summary
  const mark = tone === 'red' ? '✗' : '!'
  return [
    `${paint(tone, mark)} ${paint(tone, issue.code)} ${what}`,
    `  ${paint('dim', 'fix:')} ${fix}`,
  ]
}

/** Moves lines in. */
export function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => ' '.repeat(by) + line)
}

/** What is printed for a number that was skipped or failed; undefined when it has a value. */
export function withoutValue(
  { number, error, skipped }: NumberResult<unknown>,
  paint: Paint,
): string[] | undefined {
  if (skipped) return [headLine(number, paint('dim', `left alone: ${skipped}`), paint)]
  if (!error) return undefined
  return [headLine(number, '', paint), ...indent(issueLines(error, 'red', paint), 2)]
}

/** What JSON says of every number. */
export function identity({ number, skipped, error }: NumberResult<unknown>) {
  return {
    name: number.name,
    phone_number: number.phoneNumber,
    phone_number_id: number.phoneNumberId,
    ...(skipped ? { skipped } : {}),
    ...(error ? { error } : {}),
  }
}

/** `3 differences`, `1 difference`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`
}
