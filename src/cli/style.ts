import { styleText } from 'node:util'
import type { Io, Output } from './io.ts'

/** Colours a text, or leaves it as it is. */
export type Paint = (
  style: 'red' | 'yellow' | 'green' | 'cyan' | 'bold' | 'dim',
  text: string,
) => string

/** Colours for an output: only on a terminal, and never with NO_COLOR set (no-color.org). */
export function paintFor(output: Output, env: Io['env']): Paint {
  const coloured = Boolean(output.isTTY) && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  return coloured
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text
}
