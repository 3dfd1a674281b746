import type { DialPrefix, NumberSource, OutboundConfig } from '../config/types.ts'

/** What a call from the PBX says of the number it is to leave from. */
export interface LeavingCall {
  /** User part the PBX dialled. */
  dialled: string
  /** User parts by the header they stand in, in the order of the message. */
  parties: Readonly<Record<Exclude<NumberSource, 'prefix'>, readonly string[]>>
}

/** What one source says. */
export interface SourceFinding {
  source: NumberSource | 'trunk'
  /** What stands there: user parts, or the prefix; '' for nothing. */
  said: string
  /** Name of the number it means; undefined for none. */
  number: string | undefined
  /** `passed`: an earlier one had named a number already. */
  verdict: 'taken' | 'no match' | 'passed'
}

/** The number a call leaves from, and what is left of the dialled user part. */
export interface NumberChoice {
  /** Name of the number; undefined when nothing names one. */
  number: string | undefined
  /** How the choice is called in the record of the call: `prefix 91`, `pai`, `trunk`. */
  route: string
  /** Without a prefix that is to be taken off. */
  dialled: string
  prefix: DialPrefix | undefined
  findings: SourceFinding[]
}

/**
 * Chooses the number a call from the PBX leaves from: the sources of `by` in their order, then the
 * trunk's own `number`. A dialled prefix is taken off also where another source decides.
 *
 * @param numberOf name of the number a user part means; undefined for none of ours
 */
export function chooseNumber(
  outbound: OutboundConfig,
  call: LeavingCall,
  numberOf: (user: string) => string | undefined,
): NumberChoice {
  const prefix = outbound.by.includes('prefix')
    ? longestPrefix(outbound.prefixes, call.dialled)
    : undefined
  const findings: SourceFinding[] = []
  let chosen: SourceFinding | undefined
  const look = (source: SourceFinding['source'], said: string, number: string | undefined) => {
    const verdict = chosen ? 'passed' : number === undefined ? 'no match' : 'taken'
    const finding: SourceFinding = { source, said, number, verdict }
    findings.push(finding)
    if (verdict === 'taken') chosen = finding
  }
  for (const source of outbound.by) {
    if (source === 'prefix') {
      if (outbound.prefixes.length > 0) look(source, prefix?.prefix ?? '', prefix?.number)
      continue
    }
    const users = call.parties[source]
    const named = users.map((user) => numberOf(user)).find((name) => name !== undefined)
    look(source, users.join(', '), named)
  }
  look('trunk', outbound.number ?? '', outbound.number)
  const { dialled } = call
  return {
    number: chosen?.number,
    route: chosen?.source === 'prefix' ? `prefix ${prefix!.prefix}` : (chosen?.source ?? 'trunk'),
    dialled: prefix?.strip ? dialled.slice(prefix.prefix.length) : dialled,
    prefix,
    findings,
  }
}

function longestPrefix(prefixes: readonly DialPrefix[], dialled: string): DialPrefix | undefined {
  let best: DialPrefix | undefined
  for (const entry of prefixes) {
    if (!dialled.startsWith(entry.prefix)) continue
    if (!best || entry.prefix.length > best.prefix.length) best = entry
  }
  return best
}
