import type { CallRecord } from '../../calls/index.ts'
import type { MediaVerdict, Violation } from '../../simulator/index.ts'
import type { PbxCall } from '../../simulator/toy-pbx/index.ts'
import type { CallList } from '../calls/source.ts'
import { DEMO } from './configuration.ts'
import { until } from './steps.ts'
import { HEARD, type Hearing, judge } from './verdict.ts'
import type { World } from './world.ts'

/** A call of the demo, when it is over. */
export interface DemoCall {
  /** As Causeway remembers it. */
  record: CallRecord
  /** Both directions of its audio. */
  media: Hearing[]
  /** Rules of WhatsApp's that were broken. */
  violations: Violation[]
  /** What WhatsApp noticed of a hold; undefined without one. */
  held?: Held | undefined
}

/** A hold as WhatsApp's side saw it. */
export interface Held {
  /** Milliseconds of silence it heard. */
  silence: number
  /** Longest time between two packets in the whole call, milliseconds. */
  gap: number
}

/** WhatsApp's side of a call, as the simulator keeps it. */
type WhatsAppCall = ReturnType<World['simulator']['sip']['placeCall']>

/** Milliseconds a call may take to be answered. */
const ANSWER = 5000
/** Milliseconds until both sides must have heard each other. */
const AUDIO = 6000
/** Milliseconds Causeway may take to let go of a call. */
const END = 3000

/** Milliseconds the PBX holds. */
const HOLD = 1500
/** Milliseconds without a packet that are put down to a busy machine, and not to the hold. */
const GAP = 1000

/** A WhatsApp user calls the business, both hear each other, and the user hangs up. */
export async function userCalls(
  world: World,
  signal: AbortSignal,
  hold = false,
): Promise<DemoCall> {
  const { simulator, pbx } = world
  const ringing = pbx.next()
  const whatsapp = simulator.sip.placeCall({
    from: DEMO.consumer,
    to: DEMO.numbers.support.phoneNumber,
  })
  const answered = await until('the answer', ANSWER, signal, () => {
    requireRunning(whatsapp)
    return whatsapp.state === 'answered'
  }).then(() => ringing)
  await until('the answer at the PBX', ANSWER, signal, () => answered.state === 'answered')
  await audio(whatsapp, answered, signal)
  const held = hold ? await holdAndResume(whatsapp, answered, signal) : undefined
  simulator.sip.hangup(whatsapp.id)
  return { ...(await finish(world, 'user-initiated', whatsapp, answered, signal)), held }
}

/** The PBX holds without sending anything, and resumes; WhatsApp must not notice. */
async function holdAndResume(
  whatsapp: WhatsAppCall,
  pbx: PbxCall,
  signal: AbortSignal,
): Promise<Held> {
  const answered = async (name: string, asking: Promise<number>): Promise<void> => {
    const status = await asking
    if (status !== 200) throw new Error(`the ${name} was answered ${status}`)
  }
  const silence = (): number => whatsapp.media?.verdict().received.silence ?? 0
  const tone = (): number => whatsapp.media?.verdict().received.tone?.ms ?? 0
  const before = silence()
  await answered('hold', pbx.hold('inactive'))
  await until('silence at WhatsApp', HOLD + 2000, signal, () => silence() - before >= HOLD)
  await answered('resume', pbx.resume())
  const heard = tone()
  await until('the tone after the hold', 2000, signal, () => tone() - heard >= 400)
  const gap = whatsapp.media?.verdict().promises?.longestGap ?? Number.POSITIVE_INFINITY
  if (gap > GAP) throw new Error(`WhatsApp got no packet for ${Math.round(gap)} ms`)
  return { silence: silence() - before, gap }
}

/** The PBX calls a WhatsApp user, both hear each other, and the PBX hangs up. */
export async function pbxCalls(world: World, signal: AbortSignal): Promise<DemoCall> {
  const { simulator, pbx } = world
  const arriving = simulator.sip.calls.next(({ direction }) => direction === 'BUSINESS_INITIATED')
  const call = pbx.call(DEMO.consumer)
  await until('the answer', ANSWER, signal, () => {
    if (call.state === 'ended') throw new Error(`the call ended: ${call.reason}`)
    return call.state === 'answered'
  })
  const whatsapp = await arriving
  await audio(whatsapp, call, signal)
  call.hangup()
  return finish(world, 'business-initiated', whatsapp, call, signal)
}

/** How a call went, in one line. */
export function summary({ record, media, held }: DemoCall): string {
  const { direction, consumer, business } = record
  const pair =
    direction === 'user-initiated' ? `${consumer} → ${business}` : `${business} → ${consumer}`
  const packets = media.map((one) => one.received).join(' and ')
  const hold = held
    ? `, held for ${(held.silence / 1000).toFixed(1)} s without a gap above ${Math.ceil(held.gap)} ms at WhatsApp`
    : ''
  const { whatsapp = '?' } = record.media?.srtp ?? {}
  return `${pair}, ${whatsapp}, ${packets} packets heard${hold}, ${record.cause?.text ?? ''}`
}

function requireRunning(call: WhatsAppCall): void {
  if (call.state === 'ended') throw new Error(`the call ended: ${call.outcome?.reason}`)
}

/** Waits until either side has heard the other one's tone for long enough, or says who has not. */
async function audio(whatsapp: WhatsAppCall, pbx: PbxCall, signal: AbortSignal): Promise<void> {
  const heard = (media: MediaVerdict | undefined): boolean =>
    (media?.received.tone?.ms ?? 0) >= HEARD
  const sides = () => ({ whatsapp: whatsapp.media?.verdict(), pbx: pbx.media })
  await until('audio in both directions', AUDIO, signal, () => {
    requireRunning(whatsapp)
    const { whatsapp: consumer, pbx: business } = sides()
    return heard(consumer) && heard(business)
  }).catch((error: Error) => {
    const silent = Object.entries(sides()).find(([, media]) => !heard(media))
    const { packets = 0 } = silent?.[1]?.received ?? {}
    const who = silent?.[0] === 'pbx' ? 'the PBX' : 'WhatsApp'
    const more = silent ? `; ${who} heard too little, ${packets} packets came` : ''
    throw new Error(`${error.message}${more}`)
  })
}

/** Waits for the end on all three sides and judges what was seen. */
async function finish(
  { api }: World,
  direction: CallRecord['direction'],
  whatsapp: WhatsAppCall,
  pbx: PbxCall,
  signal: AbortSignal,
): Promise<DemoCall> {
  await until('the end at WhatsApp', END, signal, () => whatsapp.state === 'ended')
  await until('the end at the PBX', END, signal, () => pbx.state === 'ended')
  const id = await until('the end in Causeway', END, signal, async () => {
    const query = `state=ended&direction=${direction}&limit=1`
    return (await api.get<CallList>(`/api/v1/calls?${query}`)).calls[0]?.id
  })
  const record = await until('the figures of the media', END, signal, async () => {
    const record = await api.get<CallRecord>(`/api/v1/calls/${id}`)
    return record.report && record
  })
  const { cause, report } = record
  if (cause?.result !== 'completed') {
    throw new Error(`the call did not end in good order: ${cause?.code} ${cause?.text}`)
  }
  if (report?.verdict !== 'good') {
    const [found] = report?.verdicts ?? []
    throw new Error(`the media is ${report?.verdict}: ${found?.detail ?? 'nothing was heard'}`)
  }
  const media = judge(direction, whatsapp.media?.verdict(), pbx.media)
  const fault = media.flatMap(({ from, to, faults }) =>
    faults.map((text) => `${from} → ${to}: ${text}`),
  )[0]
  if (fault) throw new Error(fault)
  const [violation] = whatsapp.violations
  if (violation) throw new Error(`a rule of WhatsApp's was broken: ${violation.detail}`)
  return { record, media, violations: whatsapp.violations }
}
