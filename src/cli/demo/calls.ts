import type { CallRecord } from '../../calls/index.ts'
import type { MediaVerdict, Violation } from '../../simulator/index.ts'
import type { PbxCall } from '../../simulator/toy-pbx/index.ts'
import type { CallList } from '../verbs/calls-list.ts'
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
}

/** WhatsApp's side of a call, as the simulator keeps it. */
type WhatsAppCall = ReturnType<World['simulator']['sip']['placeCall']>

/** Milliseconds a call may take to be answered. */
const ANSWER = 5000
/** Milliseconds until both sides must have heard each other. */
const AUDIO = 6000
/** Milliseconds Causeway may take to let go of a call. */
const END = 3000

/** A WhatsApp user calls the business, both hear each other, and the user hangs up. */
export async function userCalls(world: World, signal: AbortSignal): Promise<DemoCall> {
  const { simulator, pbx } = world
  const ringing = pbx.next()
  const whatsapp = simulator.sip.placeCall({ from: DEMO.consumer, to: DEMO.business })
  const answered = await until('the answer', ANSWER, signal, () => {
    requireRunning(whatsapp)
    return whatsapp.state === 'answered'
  }).then(() => ringing)
  await until('the answer at the PBX', ANSWER, signal, () => answered.state === 'answered')
  await audio(whatsapp, answered, signal)
  simulator.sip.hangup(whatsapp.id)
  return finish(world, 'user-initiated', whatsapp, answered, signal)
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
export function summary({ record, media }: DemoCall): string {
  const { direction, consumer, business } = record
  const pair =
    direction === 'user-initiated' ? `${consumer} → ${business}` : `${business} → ${consumer}`
  const packets = media.map((one) => one.received).join(' and ')
  return `${pair}, ${packets} packets heard, ${record.cause?.text ?? ''}`
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
  const record = await api.get<CallRecord>(`/api/v1/calls/${id}`)
  const { cause } = record
  if (cause?.result !== 'completed') {
    throw new Error(`the call did not end in good order: ${cause?.code} ${cause?.text}`)
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
