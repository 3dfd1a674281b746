import type { LadderEntry } from '../calls/index.ts'

/** One target that was tried, as the ladder has it; times in milliseconds since the call began. */
export interface Attempt {
  start: number
  end: number
  /** SIP URI without a user part; undefined towards WhatsApp. */
  target: string | undefined
  /** Whether it is that of a transfer. */
  transfer: boolean
  /** The challenge that was answered, and when. */
  challenge: { status: number; end: number } | undefined
  /** First ringing. */
  ringing: number | undefined
  /** Final status; undefined when none came. */
  status: number | undefined
}

/**
 * The INVITEs to the called side, each with what became of it. An INVITE that repeats another with
 * credentials belongs to the same attempt.
 *
 * @param until when the call ended
 */
export function attemptsOf(
  ladder: readonly LadderEntry[],
  callee: LadderEntry['leg'],
  until: number,
): Attempt[] {
  const attempts: Attempt[] = []
  let open: Attempt | undefined
  let challenged: number | undefined
  for (const { t, dir, what, note } of ladder.filter(({ leg }) => leg === callee)) {
    if (dir === 'out' && what === 'INVITE') {
      const again = challenged !== undefined ? attempts.at(-1) : undefined
      if (again && note === 'with credentials') {
        again.challenge = { status: challenged!, end: t }
        again.status = undefined
        open = again
      } else {
        if (open) open.end = t
        open = begin(t, note, until)
        attempts.push(open)
      }
      challenged = undefined
    } else if (open && dir === 'out' && what === 'CANCEL') {
      open.end = t
      open = undefined
    } else if (open && dir === 'in') {
      const status = statusOf(what)
      if (status === undefined || status === 100) continue
      if (status < 200) open.ringing ??= t
      else {
        open.end = t
        open.status = status
        challenged = status === 401 || status === 407 ? status : undefined
        open = undefined
      }
    }
  }
  return attempts
}

function begin(start: number, note: string | undefined, until: number): Attempt {
  return {
    start,
    end: Math.max(start, until),
    // Never one with a user part: that is a phone number.
    target: /\bsips?:[^\s@<>]+(?=$|[\s,>])/i.exec(note ?? '')?.[0],
    transfer: note?.startsWith('transfer') ?? false,
    challenge: undefined,
    ringing: undefined,
    status: undefined,
  }
}

function statusOf(what: string): number | undefined {
  const digits = /^([1-6]\d\d)\b/.exec(what)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
