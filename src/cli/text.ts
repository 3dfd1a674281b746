/** Shortens a text to a width. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** Breaks a text into lines, at blanks or after semicolons where it can. The last line is cut when there are too many. */
export function wrap(text: string, width: number, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = []
  let rest = text.trim()
  while (rest.length > width && lines.length + 1 < most) {
    const end = Math.max(rest.lastIndexOf(' ', width), rest.lastIndexOf(';', width - 1) + 1)
    const at = end > 0 ? end : width
    lines.push(rest.slice(0, at).trimEnd())
    rest = rest.slice(at).trimStart()
  }
  return [...lines, cut(rest, width)]
}

/** Columns of a line. */
const WIDTH = 80
/** Columns a text at the end of a line has at least. */
const ROOM = 36

/** Breaks a text that stands at the end of a line; what follows is indented below its beginning. */
export function hang(text: string, indent: number): string {
  return wrap(text, Math.max(ROOM, WIDTH - indent)).join(`\n${' '.repeat(indent)}`)
}

/** Texts of the far end hold whatever it sent: nothing of it may steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '�')
}
