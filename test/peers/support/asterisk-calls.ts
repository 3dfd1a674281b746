import type { Test } from 'tap'
import type { CallMediaReport } from '../../../src/media/index.ts'
import type { CallRecord, CallView } from '../../../src/simulator/index.ts'
import type { AriEvent } from './ari.ts'
import type { AsteriskLab } from './asterisk-lab.ts'
import { longestStall } from './stalls.ts'
import { until } from './until.ts'

/** Longest time WhatsApp may wait for a packet, milliseconds: 20 and what a busy machine adds. */
const LONGEST_GAP = 2000
/** Steps of the timestamp that may be longer: Asterisk tells of it when the machine held it up. */
const MOST_PAUSES = 3
/** Longest time to the first packet. */
const FIRST_PACKET = 1000
/** Milliseconds of standing still that break timestamps too. */
const STALL = 200

/** What Causeway's API says of a call. */
export interface CausewayCall {
  id: string
  consumer: string
  state: string
  media: { codec: Sides; srtp: Sides } | undefined
  report: CallMediaReport | undefined
  verdicts: { code: string; side: string }[]
  cause: { code?: string; status?: number } | undefined
  ladder: { leg: string; dir: string; what: string; note?: string }[]
}

interface Sides {
  whatsapp: string
  pbx: string
}

let callers = 1001

/** A consumer of its own calls a number of the lab, and with it a service of Asterisk. */
export function place(lab: AsteriskLab, number: number, service: string): CallRecord {
  const from = `+33199${callers++}${service}`
  return lab.simulator.sip.placeCall({ from, to: lab.numbers[number]! })
}

/** Calls of Asterisk's own. */
export interface OriginateOptions {
  /** Endpoint of Asterisk. */
  trunk: string
  /** Place of the number the call leaves from. */
  number: number
  /** What Asterisk does on the answer. */
  service: string
}

/** Asterisk calls a consumer, who picks up at once. */
export async function originate(
  { simulator, ari, numbers }: AsteriskLab,
  { trunk, number, service }: OriginateOptions,
): Promise<{ call: CallRecord; channel: string }> {
  const consumer = `+33199${callers++}${service}`
  const business = simulator.store.lookupNumberByPhone(numbers[number]!)!
  simulator.store.grantPermission(business, consumer, true)
  simulator.sip.consumers.update(consumer, { script: { action: 'answer', after: 100 } })
  const coming = simulator.sip.calls.next((call) => call.consumer === consumer.slice(1))
  const channel = (await ari.request('POST', '/channels', {
    endpoint: `PJSIP/${consumer}@${trunk}`,
    context: 'services',
    extension: service,
    callerId: numbers[number]!,
  })) as { id: string }
  return { call: await coming, channel: channel.id }
}

/** Asterisk's channel of a call of a consumer. */
export async function channelOf({ ari }: AsteriskLab, call: CallRecord): Promise<string> {
  const caller = `+${call.consumer}`
  const fits = ({ type, channel }: AriEvent): boolean =>
    type === 'ChannelCreated' && channel?.caller.number === caller
  return (await ari.event(`a channel of ${caller}`, fits)).channel!.id
}

/** The channel is in the hands of the test. */
export async function controlled(lab: AsteriskLab, call: CallRecord): Promise<string> {
  const channel = await channelOf(lab, call)
  await lab.ari.event(
    'the test gets the channel',
    (event) => event.type === 'StasisStart' && event.channel?.id === channel,
  )
  return channel
}

/** Waits for the answer. Throws when the call ends instead. */
export async function answered(t: Test, call: CallRecord): Promise<void> {
  await call.until(({ state }) => state === 'answered')
  if (call.state !== 'answered') {
    const { text } = call.messages.findLast(({ direction }) => direction === 'received')!
    const said = text.match(/^(?:SIP|Warning|Reason).*/gm)?.join(' ')
    throw new Error(`not answered: ${call.outcome?.reason}; ${said}`)
  }
  t.pass('answered')
}

/** A tone goes on to be heard by the consumer: `ms` more of it than until now. */
export async function hears(t: Test, call: CallRecord, frequency: number, ms = 500): Promise<void> {
  const before = heard(call, frequency)
  await until(`${call.consumer} hears ${frequency} Hz`, () => {
    if (call.state === 'ended') throw new Error(`the call has ended: ${call.outcome?.reason}`)
    return heard(call, frequency) >= before + ms
  })
  t.pass(`the consumer hears ${frequency} Hz`)
}

/** Milliseconds of a tone the consumer has heard. */
export function heard(call: CallRecord, frequency: number): number {
  const tones = call.view().media?.received.tones ?? []
  return tones
    .filter((tone) => Math.abs(tone.frequency - frequency) <= 10)
    .reduce((sum, tone) => sum + tone.ms, 0)
}

/** The stream goes on without sound for `ms`. */
export async function silent(t: Test, call: CallRecord, ms: number): Promise<void> {
  const silence = (): number => call.view().media?.received.silence ?? 0
  const before = silence()
  await until(`${call.consumer} hears silence`, () => silence() >= before + ms)
  t.pass('the consumer hears silence')
}

/** The consumer hangs up. */
export function hangUp({ simulator }: AsteriskLab, call: CallRecord): void {
  simulator.sip.hangup(call.id)
}

/** WhatsApp's view of a call whose media broke no promise: one stream, without a gap. */
export function promised(t: Test, call: CallRecord): CallView {
  const view = call.view()
  t.same(call.violations, [], "WhatsApp's rules were kept")
  const { received, promises } = view.media!
  t.equal(received.ssrcs.length, 1, 'WhatsApp saw one SSRC')
  const stall = longestStall(call.startedAt)
  if (stall > STALL) t.comment(`this machine stood still for ${Math.round(stall)} ms`)
  else t.ok(received.irregular <= MOST_PAUSES, `packets of 20 ms but ${received.irregular}`)
  t.equal(received.lost, 0, 'none missing')
  const { longestGap } = promises!
  t.ok(longestGap < LONGEST_GAP + stall, `no gap: at most ${longestGap} ms`)
  t.ok(
    promises!.firstPacket! < FIRST_PACKET + stall,
    `the first packet after ${promises!.firstPacket} ms`,
  )
  return view
}

/** Causeway's record of a call; of an ended one with the last figures. */
export async function recordOf(
  { causeway }: Pick<AsteriskLab, 'causeway'>,
  call: CallRecord,
): Promise<CausewayCall> {
  const { calls } = (await causeway.get('/api/v1/calls')) as { calls: CausewayCall[] }
  const consumer = `+${call.consumer}`
  const found = calls.find((each) => each.consumer === consumer)
  if (!found) throw new Error(`Causeway knows no call of ${consumer}`)
  const read = async (): Promise<CausewayCall> =>
    (await causeway.get(`/api/v1/calls/${found.id}`)) as CausewayCall
  let record = await read()
  if (call.state === 'ended') {
    await until('the call has its last figures', async () => {
      record = await read()
      return record.state === 'ended' && record.report !== undefined
    })
  }
  return record
}

/** The arrows of the PBX leg: `in REFER`, `out INVITE transfer to sip:…`. */
export function arrows({ ladder }: CausewayCall): string[] {
  return ladder
    .filter(({ leg }) => leg === 'pbx')
    .map(({ dir, what, note }) => [dir, what, note].filter(Boolean).join(' '))
}

/** Nothing of any call is left in Asterisk or Causeway, `within` milliseconds. */
export async function nothingLeft(t: Test, lab: AsteriskLab, within?: number): Promise<void> {
  const left = async (): Promise<string[]> => {
    const metrics = await lab.causeway.metrics()
    const held = HELD.filter((name) => metrics.get(name) !== 0).map(
      (name) => `${name} ${metrics.get(name)}`,
    )
    const channels = lab.asterisk.running ? channelsOf(lab) : 0
    return channels === 0 ? held : [...held, `${channels} channels in Asterisk`]
  }
  const nothing = async (): Promise<boolean> => (await left()).length === 0
  await until('everything is given back', nothing, within).catch(() => {})
  t.same(await left(), [], 'nothing is left')
}

const HELD = [
  'causeway_calls_active{direction="user-initiated"}',
  'causeway_calls_active{direction="business-initiated"}',
  'causeway_sip_dialogs',
  'causeway_media_relay_calls',
  'causeway_media_ports{state="used"}',
  'causeway_media_transcoding_calls',
]

function channelsOf({ asterisk }: AsteriskLab): number {
  return Number(/^(\d+) active channel/m.exec(asterisk.cli('core show channels count'))?.[1] ?? -1)
}
