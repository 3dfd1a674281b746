/**
 * Lays out rows in columns two blanks apart, each as wide as its widest cell; numbers may be aligned
 * right. Colours are applied by `cell`, after the widths are known.
 *
 * @param header names of the columns
 * @param cell paints a padded cell: text, column, row (-1 for the header)
 * @returns lines, without blanks at their ends
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options: {
    right?: readonly number[]
    cell?: (text: string, column: number, row: number) => string
  } = {},
): string[] {
  const { right = [], cell = (text) => text } = options
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  return [header, ...rows].map((row, index) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0
        const last = column === row.length - 1
        const padded = right.includes(column)
          ? text.padStart(width)
          : last
            ? text
            : text.padEnd(width)
        return cell(padded, column, index - 1)
      })
      .join('  ')
      .trimEnd(),
  )
}
