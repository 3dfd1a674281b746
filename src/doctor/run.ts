import type { Clock } from '../shared/clock.ts'
import type { DoctorContext } from './context.ts'
import { problem, skip, worst } from './finding.ts'
import type { Check, CheckResult, Finding } from './types.ts'

/** Milliseconds a check may take. */
export const LIMIT = 20_000

export interface RunOptions {
  /** Told of each check as it ends. */
  finished?: (result: CheckResult) => void
  /** Milliseconds a check may take; default {@link LIMIT}. */
  limit?: number
}

/**
 * Runs the checks side by side, each once those it needs have ended. A check that throws or takes
 * too long has that as its finding; the others go on. Never rejects.
 *
 * @returns results in the order of the checks
 */
export async function runChecks(
  checks: readonly Check[],
  context: DoctorContext,
  options: RunOptions = {},
): Promise<CheckResult[]> {
  const { finished, limit = LIMIT } = options
  const running = new Map<string, Promise<CheckResult>>()
  const start = (check: Check): Promise<CheckResult> => {
    const known = running.get(check.id)
    if (known) return known
    const result = judge(check).then((done) => {
      finished?.(done)
      return done
    })
    running.set(check.id, result)
    return result
  }
  const judge = async (check: Check): Promise<CheckResult> => {
    const needed = checks.filter(({ id }) => check.needs.includes(id) && id !== check.id)
    const failed = (await Promise.all(needed.map(start))).find(({ verdict }) => verdict === 'fail')
    const began = context.clock.monotonic()
    const findings = failed
      ? [skip(`the check ${failed.id} failed`)]
      : await attempt(check, context, limit)
    return {
      id: check.id,
      area: check.area,
      title: check.title,
      verdict: worst(findings.map(({ verdict }) => verdict)),
      ms: Math.round(context.clock.monotonic() - began),
      findings,
    }
  }
  return Promise.all(checks.map(start))
}

/** The findings of one check, whatever happens inside. */
async function attempt(
  check: Check,
  context: DoctorContext,
  limit: number,
): Promise<readonly Finding[]> {
  const over = new AbortController()
  const signal = AbortSignal.any([context.signal, over.signal])
  const late = timeUp(context.clock, limit, signal)
  try {
    const work = Promise.resolve().then(() => check.run({ ...context, signal }))
    const findings = await Promise.race([work, late.reached])
    if (findings) return findings
    if (context.signal.aborted) return [skip('interrupted')]
    const evidence = `no result after ${limit / 1000} s`
    return [problem('warn', 'DOCTOR_CHECK_TIMEOUT', { evidence })]
  } catch (error) {
    if (context.signal.aborted) return [skip('interrupted')]
    const evidence = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return [problem('fail', 'DOCTOR_CHECK_CRASHED', { evidence })]
  } finally {
    late.clear()
    over.abort()
  }
}

function timeUp(clock: Clock, ms: number, signal: AbortSignal) {
  let clear = (): void => {}
  const reached = new Promise<undefined>((resolve) => {
    const timer = clock.setTimeout(() => resolve(undefined), ms)
    const onAbort = (): void => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
    clear = () => {
      timer.clear()
      signal.removeEventListener('abort', onAbort)
    }
  })
  return { reached, clear }
}
