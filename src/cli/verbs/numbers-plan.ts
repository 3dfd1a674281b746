import { planSettings, type SettingsPlan } from '../../settings/index.ts'
import { CONFIG_OPTION, CONFIG_USAGE } from '../load.ts'
import {
  count,
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

/** `causeway numbers plan`: what `numbers apply` would write. */
export const verb: Verb = {
  name: 'numbers plan',
  summary: "what would be written to WhatsApp's settings, and why",
  usage: `Usage: causeway numbers plan [NUMBER…] [-c FILE] [--json]

Reads the settings of every number of the file, or of the numbers named by name,
phone number or ID, straight from the Graph API and shows what differs from the
configuration: request by request, in the order they would be written, with what
they carry over or lose. Writes nothing; no instance need run.

  + is added   - goes   ~ changes   = is written again   ! deserves attention

Options:
${CONFIG_USAGE}
      --json          { ok, drift, numbers }, each number with its steps and
                      warnings

Exit codes: 0 nothing differs, 2 something differs or there are warnings, 1 a
number could not be read.

Examples:
  causeway numbers plan -c causeway.yaml
  causeway numbers plan support --json
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, CONFIG_OPTION, { min: 0, max: 1000 })
    const { config } = values
    const options = {
      config,
      names: positionals,
      managed: true,
      verb: 'numbers plan',
      writes: false,
    }
    const results = await withNumbers(options, io, (config) => {
      const desired = desiredBy(config)
      return async (client, number) => {
        const wanted = desired(number)
        return planSettings(await client.read(number), wanted, number)
      }
    })
    if (values.json) io.stdout.write(`${JSON.stringify(asJson(results), null, 2)}\n`)
    else io.stdout.write(`${asText(results, paintFor(io.stdout, io.env)).join('\n')}\n`)
    if (results.some(({ error }) => error)) return EXIT.failed
    return results.some(({ value }) => value && !isEmpty(value)) ? EXIT.attention : EXIT.done
  },
}

function isEmpty({ steps, warnings }: SettingsPlan): boolean {
  return steps.length === 0 && warnings.length === 0
}

function asJson(results: readonly NumberResult<SettingsPlan>[]) {
  return {
    ok: results.every(({ error }) => !error),
    drift: results.some(({ value }) => value !== undefined && value.steps.length > 0),
    numbers: results.map((result) => ({ ...identity(result), ...result.value })),
  }
}

function asText(results: readonly NumberResult<SettingsPlan>[], paint: Paint): string[] {
  if (results.length === 0) return ['no numbers']
  const lines = results.flatMap((result) => {
    const without = withoutValue(result, paint)
    return without ?? planLines(result.number, result.value!, paint)
  })
  return [...lines, '', summary(results, paint)]
}

function planLines(
  number: NumberResult<SettingsPlan>['number'],
  { steps, warnings }: SettingsPlan,
  paint: Paint,
): string[] {
  const said = steps.length === 0 ? paint('green', '✓ as configured') : ''
  return [
    headLine(number, said, paint),
    ...steps.flatMap((step, index) => [
      `  ${index + 1}. ${step.title}`,
      ...indent(stepLines(step, paint), 5),
    ]),
    ...warnings.flatMap((warning) => indent(issueLines(warning, 'yellow', paint), 2)),
  ]
}

function summary(results: readonly NumberResult<SettingsPlan>[], paint: Paint): string {
  const plans = results.flatMap(({ value }) => value ?? [])
  const steps = plans.flatMap((plan) => plan.steps)
  const failed = results.filter(({ error }) => error).length
  const warnings = plans.reduce((sum, plan) => sum + plan.warnings.length, 0)
  const parts = [count(plans.length + failed, 'number')]
  if (failed > 0) parts.push(paint('red', `${failed} not readable`))
  if (steps.length > 0) {
    const differences = steps.reduce((sum, step) => sum + step.differences.length, 0)
    const said = `${count(differences, 'difference')} in ${count(steps.length, 'request')}`
    parts.push(paint('yellow', `${said}; causeway numbers apply writes them`))
  } else if (failed === 0) parts.push(paint('green', 'nothing to write'))
  if (warnings > 0) parts.push(paint('yellow', count(warnings, 'warning')))
  return parts.join(', ')
}
