import { CausewayError } from '../../shared/errors/index.ts'

/** A line of a section: key, value, and what it is for. */
export type Setting = readonly [key: string, value: string, why?: string]

/** Column comments start at. */
const COMMENT_AT = 34

/**
 * A section of an Asterisk configuration file. What follows a semicolon is a comment there, so one in
 * a value is escaped.
 *
 * @param named words of a setting whose value is given beforehand
 * @throws CausewayError `APP_PBX_VALUE`: a value the file format cannot hold
 */
export function section(name: string, settings: readonly Setting[]): string {
  return `[${name}]\n${settings.map(line).join('\n')}`
}

function line([key, value, why]: Setting): string {
  const text = `${key} = ${escaped(key, value)}`
  return why === undefined ? text : `${text.padEnd(COMMENT_AT - 1)} ; ${why}`
}

function escaped(key: string, value: string): string {
  if (value !== value.trim() || /[\x00-\x1f\x7f]/.test(value) || value === '') {
    const detail = `${key}: Asterisk keeps neither blanks at the ends nor control characters`
    throw new CausewayError('APP_PBX_VALUE', { detail })
  }
  return value.replaceAll(';', '\\;')
}

/** Lines as comments, each behind a semicolon. */
export function comment(...lines: string[]): string {
  return lines.map((text) => (text === '' ? ';' : `; ${text}`)).join('\n')
}

/** Blocks of a file, an empty line between each two. */
export function file(...blocks: (string | undefined)[]): string {
  return `${blocks.filter((block) => block !== undefined).join('\n\n')}\n`
}
