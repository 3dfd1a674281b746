import type { CallRecord, LadderEntry } from '../calls/index.ts'
import { maskNumber } from '../shared/log.ts'
import { type Attempt, attemptsOf } from './attempts.ts'

/** What a span says; no phone number unless it is asked for. */
export type Attributes = Record<string, string | number | boolean | string[]>

/** A span to be: times in milliseconds since the Unix epoch. */
export interface SpanPlan {
  name: string
  /** Whether it waits for a peer. */
  kind: 'internal' | 'server' | 'client'
  start: number
  end: number
  attributes: Attributes
  /** Why it failed; undefined when it did not. */
  error: string | undefined
  children: SpanPlan[]
}

/**
 * The spans of a call that has ended, made of its record: nothing of it is measured while the call is
 * set up.
 *
 * @param numbers whether phone numbers and WhatsApp's id, which holds them, are told
 */
export function planOf(record: CallRecord, numbers: boolean): SpanPlan {
  const { direction, ladder, startedAt, cause } = record
  const callee = direction === 'user-initiated' ? 'pbx' : 'whatsapp'
  const endedAt = Math.max(record.endedAt ?? startedAt, startedAt)
  const attempts = attemptsOf(ladder, callee, endedAt - startedAt)
  const at = (t: number): number => startedAt + t
  const children = [
    prepare(attempts, at),
    ...attempts.map((attempt) => attemptSpan(attempt, callee, at)),
    answer(ladder, attempts, callee, at),
    talk(record, endedAt),
    teardown(record, endedAt, at),
  ]
  const failed = cause?.result === 'failed' || cause?.result === 'refused'
  return {
    name: 'call',
    kind: 'server',
    start: startedAt,
    end: endedAt,
    attributes: { ...facts(record), ...(numbers ? parties(record) : {}) },
    error: failed ? `${cause.code}: ${String(maskNumber(cause.text))}` : undefined,
    children: children.filter((child) => child !== undefined),
  }
}

function facts(record: CallRecord): Attributes {
  const { cause, media, verdicts } = record
  return {
    'causeway.call.id': record.id,
    'causeway.call.direction': record.direction,
    'causeway.number': record.number,
    'causeway.trunk': record.trunk,
    'causeway.talk_seconds': record.talkSeconds,
    ...(cause && {
      'causeway.call.result': cause.result,
      'causeway.call.owner': cause.owner,
      'causeway.code': cause.code,
      'causeway.q850_cause': cause.q850,
      'sip.status_code': cause.sip,
    }),
    ...(media && {
      'causeway.media.codec.whatsapp': media.codec.whatsapp,
      'causeway.media.codec.pbx': media.codec.pbx,
      'causeway.media.srtp.whatsapp': media.srtp.whatsapp,
      'causeway.media.srtp.pbx': media.srtp.pbx,
    }),
    ...(verdicts.length > 0 && { 'causeway.media.verdicts': verdicts.map(({ code }) => code) }),
  }
}

function parties({ business, consumer, whatsapp }: CallRecord): Attributes {
  const { wacid } = whatsapp
  return {
    'causeway.business': business,
    'causeway.consumer': consumer,
    ...(wacid !== undefined && { 'causeway.wacid': wacid }),
  }
}

/** Until the first INVITE: the offer is shaped, permission and password are looked up. */
function prepare(attempts: readonly Attempt[], at: (t: number) => number): SpanPlan | undefined {
  const [first] = attempts
  return first && span('prepare', at(0), at(first.start))
}

/** One target from its INVITE to its final response, the challenge and the ringing within. */
function attemptSpan(attempt: Attempt, callee: string, at: (t: number) => number): SpanPlan {
  const { start, end, challenge, ringing, status, target, transfer } = attempt
  const children: SpanPlan[] = []
  if (challenge) {
    const attributes = { 'sip.status_code': challenge.status }
    children.push({ ...span('challenge', at(start), at(challenge.end)), attributes })
  }
  if (ringing !== undefined) children.push(span('ringing', at(ringing), at(end)))
  return {
    name: `INVITE ${callee}`,
    kind: 'client',
    start: at(start),
    end: at(end),
    attributes: {
      'sip.method': 'INVITE',
      'causeway.leg': callee,
      ...(target !== undefined && { 'causeway.target': target }),
      ...(transfer && { 'causeway.transfer': true }),
      ...(status !== undefined && { 'sip.status_code': status }),
    },
    error: status !== undefined && isFault(status) ? `SIP ${status}` : undefined,
    children,
  }
}

/** Busy, cancelled and declined are answers of people. */
function isFault(status: number): boolean {
  return status >= 400 && ![480, 486, 487, 600, 603].includes(status)
}

/** From the answer of the called side to ours: the media is set up. */
function answer(
  ladder: readonly LadderEntry[],
  attempts: readonly Attempt[],
  callee: LadderEntry['leg'],
  at: (t: number) => number,
): SpanPlan | undefined {
  const answered = attempts.find(({ status }) => status !== undefined && status < 300)
  if (!answered) return undefined
  const passed = ladder.find(
    ({ leg, dir, what, t }) =>
      leg !== callee && dir === 'out' && what.startsWith('200') && t >= answered.end,
  )
  return passed && span('answer', at(answered.end), at(passed.t))
}

function talk({ answeredAt }: CallRecord, endedAt: number): SpanPlan | undefined {
  return answeredAt === undefined ? undefined : span('talk', answeredAt, endedAt)
}

/** From the first BYE or CANCEL to the last message. */
function teardown(
  { ladder }: CallRecord,
  endedAt: number,
  at: (t: number) => number,
): SpanPlan | undefined {
  const first = ladder.find(({ what }) => what === 'BYE' || what === 'CANCEL')
  return first && span('teardown', at(first.t), Math.max(endedAt, at(ladder.at(-1)!.t)))
}

function span(name: string, start: number, end: number): SpanPlan {
  const until = Math.max(start, end)
  return {
    name,
    kind: 'internal',
    start,
    end: until,
    attributes: {},
    error: undefined,
    children: [],
  }
}
