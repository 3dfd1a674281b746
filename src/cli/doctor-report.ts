import type { CheckResult, Finding, Verdict } from '../doctor/index.ts'
import type { Owner } from '../shared/errors/index.ts'
import type { Io } from './io.ts'
import { type Paint, paintFor } from './style.ts'
import { cut, printable, wrap } from './text.ts'

const MARKS = {
  pass: ['green', '✓'],
  warn: ['yellow', '!'],
  fail: ['red', '✗'],
  skipped: ['dim', '-'],
} as const satisfies Record<Verdict, [Parameters<Paint>[0], string]>

const OWNERS: Record<Owner, string> = {
  user: 'you',
  pbx: 'whoever runs the PBX',
  whatsapp: 'WhatsApp',
  causeway: 'Causeway (report it)',
}

/** Width of the notes below the list. */
const WIDTH = 100

/** Writes checks as they finish, in the order of the report: what came early waits for its turn. */
export class Progress {
  readonly #io: Io
  readonly #paint: Paint
  readonly #waiting = new Map<string, CheckResult>()
  readonly #order: readonly { id: string; area: string }[]
  readonly #width: number
  #next = 0
  #area = ''
  #shown = false

  constructor(io: Io, order: readonly { id: string; area: string }[]) {
    this.#io = io
    this.#paint = paintFor(io.stdout, io.env)
    this.#order = order
    this.#width = Math.max(0, ...order.map(({ id }) => id.length))
    this.#status()
  }

  /** A check has ended. */
  finished(result: CheckResult): void {
    this.#waiting.set(result.id, result)
    this.#erase()
    for (;;) {
      const turn = this.#order[this.#next]
      const ready = turn && this.#waiting.get(turn.id)
      if (!ready) break
      this.#waiting.delete(ready.id)
      this.#next++
      this.#write(ready)
    }
    this.#status()
  }

  #write(result: CheckResult): void {
    if (result.area !== this.#area) {
      this.#area = result.area
      this.#io.stdout.write(`\n${this.#paint('bold', result.area)}\n`)
    }
    this.#io.stdout.write(`${resultLines(result, this.#width, this.#paint).join('\n')}\n`)
  }

  /** On a terminal: what is still waited for, on a line that the next one replaces. */
  #status(): void {
    const left = this.#order.slice(this.#next).filter(({ id }) => !this.#waiting.has(id))
    if (!this.#io.stdout.isTTY || left.length === 0) return
    const names = cut(left.map(({ id }) => id).join(', '), 70)
    this.#io.stdout.write(this.#paint('dim', `  … ${names}`))
    this.#shown = true
  }

  #erase(): void {
    if (this.#shown) this.#io.stdout.write('\r\u001b[2K')
    this.#shown = false
  }
}

/** A line for the check; one for each finding when there are several and not all pass. */
function resultLines(result: CheckResult, width: number, paint: Paint): string[] {
  const { id, findings } = result
  return findings.map((finding, index) => {
    const [tone, mark] = MARKS[finding.verdict]
    const name = (index === 0 ? id : '').padEnd(width)
    const subject = finding.subject ? `${finding.subject}: ` : ''
    const text = printable(`${subject}${finding.evidence}`)
    const painted = finding.verdict === 'pass' ? text : paint(tone, text)
    return `  ${paint(tone, mark)} ${name}  ${painted}`
  })
}

/** What is wrong, each with cause, owner and fix, and the count of everything. */
export function formatSummary(
  results: readonly CheckResult[],
  seconds: number,
  paint: Paint,
): string {
  const wrong = results.flatMap(({ id, findings }) =>
    findings
      .filter(({ verdict }) => verdict === 'fail' || verdict === 'warn')
      .map((finding) => ({ id, finding })),
  )
  const sorted = [
    ...wrong.filter(({ finding }) => finding.verdict === 'fail'),
    ...wrong.filter(({ finding }) => finding.verdict === 'warn'),
  ]
  const parts = sorted.map(({ id, finding }) => problemText(id, finding, paint))
  return `${['', ...parts, countLine(results, seconds, paint)].join('\n')}\n`
}

function problemText(id: string, finding: Finding, paint: Paint): string {
  const [tone, mark] = MARKS[finding.verdict]
  const subject = finding.subject ? ` ${finding.subject}` : ''
  const head = `${paint(tone, `${mark} ${id}`)}${subject}  ${paint('dim', finding.code ?? '')}`
  const notes: [string, string | undefined][] = [
    ['seen', finding.evidence],
    ['cause', finding.cause],
    ['who', finding.owner && OWNERS[finding.owner]],
    ['fix', finding.fix],
  ]
  const lines = notes.flatMap(([name, note]) => {
    if (!note) return []
    const [first, ...rest] = wrap(printable(note), WIDTH - 10)
    return [
      `  ${paint('dim', `${name}:`.padEnd(7))} ${first}`,
      ...rest.map((line) => `          ${line}`),
    ]
  })
  return `${[head.trimEnd(), ...lines].join('\n')}\n`
}

/** `1 failure, 2 warnings, 20 passed, 3 skipped in 1.8 s`. */
function countLine(results: readonly CheckResult[], seconds: number, paint: Paint): string {
  const of = (verdict: Verdict): number => results.filter((one) => one.verdict === verdict).length
  const [fail, warn, passed, skipped] = [of('fail'), of('warn'), of('pass'), of('skipped')]
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
  const parts = [
    ...(fail > 0 ? [paint('red', `${plural(fail, 'check')} failed`)] : []),
    ...(warn > 0 ? [paint('yellow', plural(warn, 'warning'))] : []),
    fail + warn === 0 ? paint('green', `${passed} passed`) : `${passed} passed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ]
  return `${parts.join(', ')} in ${seconds.toFixed(1)} s`
}
