import { type CausewayError, definitionOf, type ErrorCode } from '../shared/errors/index.ts'
import { redactText } from '../shared/redact.ts'
import type { Finding, Verdict } from './types.ts'

const NOTHING = { code: undefined, cause: undefined, owner: undefined, fix: undefined }

/** Everything is as it should be. */
export function pass(evidence: string, subject?: string): Finding {
  return { verdict: 'pass', subject, evidence, ...NOTHING }
}

/** The check cannot say anything, for the reason given. */
export function skip(evidence: string, subject?: string): Finding {
  return { verdict: 'skipped', subject, evidence, ...NOTHING }
}

/** Something is wrong: a row of the catalogue and what was seen; `fix` replaces the catalogue's. */
export function problem(
  verdict: 'warn' | 'fail',
  code: ErrorCode,
  facts: { evidence: string; subject?: string | undefined; fix?: string },
): Finding {
  const { cause, owner, fix } = definitionOf(code)
  const { subject, evidence } = facts
  return {
    verdict,
    subject,
    evidence: redactText(evidence),
    code,
    cause,
    owner,
    fix: facts.fix ?? fix,
  }
}

/** A coded error as a finding. */
export function fromError(
  verdict: 'warn' | 'fail',
  error: CausewayError,
  subject?: string,
): Finding {
  const { detail } = error
  const { summary } = error.definition
  const evidence = detail ? `${lowerFirst(summary)}: ${detail}` : lowerFirst(summary)
  return problem(verdict, error.code, { evidence, subject })
}

const ORDER: readonly Verdict[] = ['skipped', 'pass', 'warn', 'fail']

/** The worst verdict of a list; `skipped` only when all are. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const at = Math.max(0, ...verdicts.map((verdict) => ORDER.indexOf(verdict)))
  return ORDER[at]!
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}
