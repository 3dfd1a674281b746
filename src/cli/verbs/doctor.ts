import { parseHostPort } from '../../config/addresses.ts'
import { ConfigErrors, type LoadResult } from '../../config/index.ts'
import {
  type Check,
  type CheckResult,
  checks,
  createContext,
  fromError,
  runChecks,
  skip,
  thisSystem,
  type Verdict,
  worst,
} from '../../doctor/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { nearest } from '../../shared/nearest.ts'
import { systemRandom } from '../../shared/random.ts'
import { formatSummary, Progress } from '../doctor-report.ts'
import type { Io } from '../io.ts'
import { CONFIG_OPTION, CONFIG_USAGE, load } from '../load.ts'
import { formatIssue } from '../report.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'
import { version } from '../version.ts'

/** Port of STUN (RFC 8489 §18.6). */
const STUN_PORT = 3478

/** `causeway doctor`: every check that explains a failure in the field. */
export const verb: Verb = {
  name: 'doctor',
  summary: 'find what is wrong before a caller does, with its fix',
  usage: `Usage: causeway doctor [-c FILE] [--only IDS] [--skip IDS] [--url URL]
                       [--stun HOST:PORT] [--json]

Looks at everything calls depend on: the file, this machine, name and
certificate as WhatsApp sees them, the settings and health of each number, the
way to WhatsApp, the SIP password, the PBXs, media. It only reads, calls nobody,
and disturbs no running instance; from one it learns what only it knows. Run it
on the machine and as the user Causeway runs as.

Options:
${CONFIG_USAGE}
      --only IDS      only these checks, separated by commas
      --skip IDS      without these checks
      --url URL       where the running instance listens (default: http.listen)
      --stun H:P      a STUN server to send UDP to, which says where it comes
                      from (default: none)
      --json          { verdict, file, version, seconds, counts, checks }

Checks: ${checkNames()}

Exit codes: 0 all passed, 2 warnings, 1 failures, 78 errors in the file.

Examples:
  causeway doctor -c /etc/causeway/causeway.yaml
  causeway doctor --only certificate,listener --json
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, {
      ...CONFIG_OPTION,
      only: { type: 'string' },
      skip: { type: 'string' },
      url: { type: 'string' },
      stun: { type: 'string' },
    })
    const chosen = choose(values.only, values.skip)
    const stun = values.stun === undefined ? undefined : stunPlace(values.stun)
    const url = values.url === undefined ? undefined : baseUrl(values.url)
    let loaded: LoadResult
    try {
      loaded = load(values.config, io)
    } catch (error) {
      if (!(error instanceof ConfigErrors)) throw error
      return refused(error, chosen, { file: values.config, json: values.json }, io)
    }
    const { context, close } = createContext({
      ...loaded,
      clock: systemClock,
      random: systemRandom,
      system: thisSystem,
      url,
      stun,
      signal: io.signal,
    })
    if (!values.json) io.stdout.write(`${heading(values.config, io)}\n`)
    const progress = values.json ? undefined : new Progress(io, chosen)
    const began = performance.now()
    try {
      const results = await runChecks(chosen, context, {
        finished: (result) => progress?.finished(result),
      })
      return finish(results, began, { file: values.config, json: values.json }, io)
    } finally {
      await close()
    }
  },
}

function heading(file: string, io: Io): string {
  return `${paintFor(io.stdout, io.env)('bold', 'causeway doctor')} ${version()}: ${file}`
}

function checkNames(): string {
  const lines: string[] = ['']
  for (const { id } of checks) {
    const line = lines.at(-1)!
    if (line.length + id.length > 70) lines.push(`        ${id}, `)
    else lines[lines.length - 1] = `${line}${id}, `
  }
  return lines.join('\n').replace(/, $/, '').replaceAll(', \n', ',\n')
}

function choose(only: string | undefined, without: string | undefined): Check[] {
  const wanted = only === undefined ? undefined : idsOf('--only', only)
  const unwanted = without === undefined ? [] : idsOf('--skip', without)
  return checks.filter(({ id }) => (wanted?.includes(id) ?? true) && !unwanted.includes(id))
}

function idsOf(option: string, text: string): string[] {
  const known = checks.map(({ id }) => id)
  const ids = text.split(',').map((id) => id.trim())
  for (const id of ids) {
    if (known.includes(id)) continue
    const close = nearest(id, known)
    throw new UsageError(
      `${option}: no check ${id}${close ? `; did you mean ${close}?` : `; known are ${known.join(', ')}`}`,
    )
  }
  return ids
}

function stunPlace(text: string): { host: string; port: number } {
  for (const place of [text, `${text}:${STUN_PORT}`]) {
    const parsed = parseHostPort(place)
    if ('host' in parsed) return parsed
  }
  throw new UsageError(`--stun ${text}: expected a place such as stun.example.com:3478`)
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new UsageError(`--url ${text}: expected a URL such as http://127.0.0.1:8080`)
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

interface Manner {
  file: string
  json: boolean
}

/** Without a configuration there is nothing to look at: the first check says why, the others are skipped. */
function refused(error: ConfigErrors, chosen: readonly Check[], manner: Manner, io: Io): number {
  const [first, ...others] = [checks[0]!, ...chosen.filter(({ id }) => id !== checks[0]!.id)]
  const bare = ({ id, area, title }: Check) => ({ id, area, title, ms: 0 })
  const results: CheckResult[] = [
    {
      ...bare(first!),
      verdict: 'fail',
      findings: error.errors.map((one) => fromError('fail', one, one.place)),
    },
    ...others.map((check): CheckResult => {
      return { ...bare(check), verdict: 'skipped', findings: [skip('the check config failed')] }
    }),
  ]
  if (manner.json) finish(results, performance.now(), manner, io)
  else {
    io.stdout.write(`${heading(manner.file, io)}\n\n`)
    const paint = paintFor(io.stdout, io.env)
    for (const one of error.errors) io.stdout.write(`${formatIssue(one, 'error', paint)}\n`)
    const n = error.errors.length
    const errors = `${n} error${n === 1 ? '' : 's'}`
    io.stdout.write(`${paint('red', `config: ${errors}`)}; ${others.length} checks skipped\n`)
  }
  return EXIT.config
}

function finish(
  results: readonly CheckResult[],
  began: number,
  { file, json }: Manner,
  io: Io,
): number {
  const seconds = (performance.now() - began) / 1000
  const verdict = worst(results.map((one) => one.verdict))
  if (json) {
    const count = (wanted: Verdict): number =>
      results.filter((one) => one.verdict === wanted).length
    const counts = {
      pass: count('pass'),
      warn: count('warn'),
      fail: count('fail'),
      skipped: count('skipped'),
    }
    const document = { verdict, file, version: version(), seconds, counts, checks: results }
    io.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  } else io.stdout.write(formatSummary(results, seconds, paintFor(io.stdout, io.env)))
  if (verdict === 'fail' || io.signal.aborted) return EXIT.failed
  return verdict === 'warn' ? EXIT.attention : EXIT.done
}
