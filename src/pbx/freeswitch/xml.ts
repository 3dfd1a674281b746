import { CausewayError } from '../../shared/errors/index.ts'

/**
 * A value inside a double-quoted attribute. FreeSWITCH expands `$${…}` before it reads the XML, so a
 * dollar sign of a value is written as a reference.
 * @throws CausewayError `APP_PBX_VALUE`: control characters, which XML does not have
 */
export function attribute(value: string): string {
  if (/[\x00-\x1f\x7f]/.test(value)) {
    throw new CausewayError('APP_PBX_VALUE', { detail: 'a value with control characters' })
  }
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('$', '&#36;')
}

/**
 * A comment of several lines, indented; two hyphens would end it. FreeSWITCH carries out preprocessor
 * commands in comments too: none may stand in one.
 */
export function comment(indent: string, ...lines: string[]): string {
  const text = lines.map((line) => line.replaceAll('--', '- -'))
  if (text.length === 1) return `${indent}<!-- ${text[0]} -->`
  return `${indent}<!--\n${text.map((line) => `${indent}  ${line}`.trimEnd()).join('\n')}\n${indent}-->`
}

/** `<param name="…" value="…"/>`, with a comment above it that says why. */
export function param(indent: string, name: string, value: string, why?: string): string {
  const line = `${indent}<param name="${name}" value="${value}"/>`
  return why === undefined ? line : `${comment(indent, why)}\n${line}`
}

/** `<action application="…" data="…"/>` */
export function action(indent: string, application: string, data: string): string {
  return `${indent}<action application="${application}" data="${data}"/>`
}

/** A file FreeSWITCH includes. */
export function file(head: readonly string[], ...blocks: (string | undefined)[]): string {
  const inner = blocks.filter((block) => block !== undefined)
  return `<include>\n${[comment('  ', ...head), ...inner].join('\n\n')}\n</include>\n`
}

/** A regular expression that matches the text alone; in XML attributes no more is to be escaped. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
