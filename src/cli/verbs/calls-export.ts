import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { EXPORT_FORMATS, type ExportFormat } from '../../records/index.ts'
import { FILTER_OPTIONS, FILTER_USAGE, filterOf, oneOf } from '../calls/filters.ts'
import { SOURCE_OPTIONS, SOURCE_USAGE, sourceOf } from '../calls/source.ts'
import type { Io } from '../io.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** `causeway calls export`. */
export const verb: Verb = {
  name: 'calls export',
  summary: 'the history of calls as CSV or JSON Lines',
  usage: `Usage: causeway calls export [--format csv|jsonl] [filters] [-o FILE]
                             [-c FILE [--offline] | --url URL]

Writes the calls that have ended, newest first, to standard output or a file.
CSV has one line a call with the columns of docs/reference/records.md; JSON
Lines the whole record with its ladder.

      --format F      csv or jsonl (default: by the name of FILE, else csv)
  -o, --output FILE   file that is written; it appears when it is complete
      --json          the same as --format jsonl

Filters:
${FILTER_USAGE}

Options:
${SOURCE_USAGE}

Examples:
  causeway calls export --since 2026-11-01 --until 2026-12-01 -o november.csv
  causeway calls export --format jsonl --since 24h | jq .cause.code
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, {
      ...SOURCE_OPTIONS,
      ...FILTER_OPTIONS,
      format: { type: 'string' },
      output: { type: 'string', short: 'o' },
    })
    oneOf('--format', values.format, EXPORT_FORMATS)
    const jsonl = values.json || values.output?.endsWith('.jsonl')
    const named = jsonl ? 'jsonl' : 'csv'
    const format = (values.format ?? named) as ExportFormat
    const filter = filterOf(values)
    const source = sourceOf(values, io)
    try {
      if (values.output === undefined) await source.export(filter, format, io.stdout)
      else await toFile(values.output, io, (file) => source.export(filter, format, file))
    } finally {
      source.close()
    }
    return EXIT.done
  },
}

/** Writes beside the file and renames it: a half export is never taken for a whole one. */
async function toFile(
  name: string,
  io: Io,
  write: (file: NodeJS.WritableStream) => Promise<void>,
): Promise<void> {
  const path = resolve(io.cwd, name)
  const part = `${path}.part`
  const file = createWriteStream(part, { mode: 0o600 })
  // Told by `finished` or, for a file that cannot be opened, by the write.
  const failed = new Promise<never>((_, reject) => file.once('error', reject))
  try {
    await Promise.race([write(file), failed])
    file.end()
    await Promise.race([finished(file), failed])
    renameSync(part, path)
  } catch (error) {
    file.destroy()
    rmSync(part, { force: true })
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw new UsageError(`--output ${name}: ${error.message}`)
  }
}
