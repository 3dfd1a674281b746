import { inspect } from 'node:util'
import { Parser, type Result } from 'tap-parser'

const LINES = 16

/** What a diagnostic says beyond the place and the source, which the reporter shows. */
function told(diag: Record<string, unknown> | null): string[] {
  return Object.entries(diag ?? {})
    .filter(([key]) => !['at', 'source', 'stdio', 'cwd', 'args', 'command'].includes(key))
    .flatMap(([key, value]) =>
      (typeof value === 'string' ? `${key}: ${value}` : `${key}: ${inspect(value)}`)
        .trimEnd()
        .split('\n'),
    )
    .slice(0, LINES)
}

/**
 * What did not pass in a TAP text, a block of lines each: the file, the tests around it and the
 * assertion (or the test that was skipped or is to be done), then what its diagnostic tells. A test
 * around a failure is not named once more; a file whose process died without one is.
 */
export function tapFailures(text: string): string[] {
  const failed: Result[] = []
  const listen = (parser: Parser): void => {
    parser.on('child', listen)
    parser.on('assert', (result: Result) => {
      const inside = failed.some((other) => other.fullname.startsWith(`${result.fullname} > `))
      if (result.skip || result.todo || (!result.ok && !inside)) failed.push(result)
    })
  }
  const parser = new Parser()
  listen(parser)
  parser.end(text)
  return failed.map((result) => {
    const why = result.skip ? ' (skipped)' : result.todo ? ' (to do)' : ''
    const at = result.diag?.at
    const place = at ? ` at ${at.fileName}:${at.lineNumber}` : ''
    return [`✗ ${result.fullname}${why}${place}`, ...told(result.diag).map((l) => `    ${l}`)].join(
      '\n',
    )
  })
}
