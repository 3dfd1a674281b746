import { applySettings, type Reconciliation, type TakenStep } from '../../settings/index.ts'
import { CONFIG_OPTION, CONFIG_USAGE } from '../load.ts'
import {
  count,
  differencesLines,
  headLine,
  identity,
  indent,
  issueLines,
  stepLines,
  withoutValue,
} from '../numbers/lines.ts'
import { desiredBy, type NumberResult, withNumbers } from '../numbers/session.ts'
import { type Paint, paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway numbers apply`: writes what differs, and proves it. */
export const verb: Verb = {
  name: 'numbers apply',
  summary: 'write what differs from the configuration, and prove it',
  usage: `Usage: causeway numbers apply [NUMBER…] [-c FILE] [--json]

Does what numbers plan shows: writes the settings of every number of the file,
or of the numbers named, in the safe order, reads them back after each request
and compares every field. What WhatsApp refuses is told with its code; the
requests after it are made all the same where they do not depend on it. No
instance need run; one that does notices the change by itself.

Options:
${CONFIG_USAGE}
      --json          { ok, numbers }, each number with steps, drift, warnings
                      and error

Exit codes: 0 everything is as configured, 2 so it is, with warnings, 1
something was not taken.

Examples:
  causeway numbers apply -c causeway.yaml
  causeway numbers plan support || causeway numbers apply support
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, CONFIG_OPTION, { min: 0, max: 1000 })
    const options = {
      config: values.config,
      names: positionals,
      managed: true,
      verb: 'numbers apply',
      writes: true,
      outcome: ({ drift, error }: Reconciliation) => ({ after: { drift }, error }),
    }
    const results = await withNumbers(options, io, (config) => {
      const desired = desiredBy(config)
      return async (client, number) => applySettings(client, number, desired(number))
    })
    if (values.json) io.stdout.write(`${JSON.stringify(asJson(results), null, 2)}\n`)
    else io.stdout.write(`${asText(results, paintFor(io.stdout, io.env)).join('\n')}\n`)
    if (results.some((result) => !isGood(result))) return EXIT.failed
    return results.some(({ value }) => value?.warnings.length) ? EXIT.attention : EXIT.done
  },
}

function isGood({ error, value }: NumberResult<Reconciliation>): boolean {
  return !error && !value?.error
}

function asJson(results: readonly NumberResult<Reconciliation>[]) {
  return {
    ok: results.every(isGood),
    numbers: results.map((result) => {
      if (!result.value) return identity(result)
      const { steps, drift, warnings, error } = result.value
      return { ...identity(result), steps, drift, warnings, ...(error ? { error } : {}) }
    }),
  }
}

function asText(results: readonly NumberResult<Reconciliation>[], paint: Paint): string[] {
  if (results.length === 0) return ['no numbers']
  const lines = results.flatMap((result) => {
    const without = withoutValue(result, paint)
    return without ?? numberLines(result.number, result.value!, paint)
  })
  const written = results.reduce((sum, { value }) => sum + (value?.written.length ?? 0), 0)
  const failed = results.filter((result) => !isGood(result)).length
  const tried = results.filter(({ skipped }) => !skipped).length
  const verdict =
    failed === 0 ? paint('green', 'as configured') : paint('red', `${failed} not as configured`)
  return [...lines, '', `${count(tried, 'number')}, ${count(written, 'request')} made: ${verdict}`]
}

function numberLines(
  number: NumberResult<Reconciliation>['number'],
  { steps, drift, warnings, error }: Reconciliation,
  paint: Paint,
): string[] {
  const untouched = steps.length === 0 && !error
  const told = steps.some((step) => step.error === error)
  return [
    headLine(number, untouched ? paint('green', '✓ as configured, nothing written') : '', paint),
    ...steps.flatMap((step) => takenLines(step, drift, paint)),
    ...(untouched ? [] : proofLines(drift, paint)),
    ...(error && !told ? indent(issueLines(error, 'red', paint), 2) : []),
    ...warnings.flatMap((warning) => indent(issueLines(warning, 'yellow', paint), 2)),
  ]
}

/** A request: taken, refused, or taken without bringing what it asked for. */
function takenLines(step: TakenStep, drift: Reconciliation['drift'], paint: Paint): string[] {
  const paths = new Set(drift.map(({ path }) => path))
  const kept = !step.differences.some(({ path }) => paths.has(path))
  const mark = step.error
    ? paint('red', '✗')
    : kept
      ? paint('green', '✓')
      : paint('yellow', '! taken, not kept:')
  return [
    `  ${mark} ${step.title}`,
    ...indent(stepLines(step, paint), 4),
    ...(step.error ? indent(issueLines(step.error, 'red', paint), 4) : []),
  ]
}

/** What the settings show that were read last. */
function proofLines(drift: Reconciliation['drift'], paint: Paint): string[] {
  if (drift.length === 0)
    return [`  ${paint('green', '✓')} read back: every field is as configured`]
  return [
    `  ${paint('red', '✗')} read back: ${count(drift.length, 'field')} not as configured`,
    ...indent(differencesLines(drift, paint), 4),
  ]
}
