import t from 'tap'
import {
  answeredByPbx,
  answeredByWhatsApp,
  type BridgeLab,
  bridgeLab,
  labConfig,
  settle,
} from '../../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import type { FakeRequest, FakeSent } from '../../support/fake-sip-port.ts'

const RUNS = 1000
const STEPS = 20

const SDPS = ['sdp', 'bad', '', 'a=inactive', 'v=0\r\nm=audio 1 RTP/SAVP 0\r\na=sendonly\r\n']

/** How a call begins. */
const START: ((lab: BridgeLab) => FakeRequest | Promise<FakeRequest>)[] = [
  async (lab) => (await answeredByPbx(lab)).invite,
  async (lab) => (await answeredByWhatsApp(lab, { headers: { cseq: '1 INVITE' } })).invite,
  (lab) => lab.fromWhatsApp(),
  (lab) => lab.fromPbx({ body: '', headers: { cseq: '1 INVITE' } }),
  (lab) => lab.fromPbx({ headers: { require: '100rel', cseq: '1 INVITE' } }),
]

/**
 * Things a PBX, WhatsApp, the relay and time may do, in any order. `invites` are those received, `byes` the dialogs
 * hung up on us.
 */
function actions(
  lab: BridgeLab,
  invites: FakeRequest[],
  byes: Set<string | undefined>,
  roll: (sides: number) => number,
): (() => void)[] {
  let open: (() => void) | undefined
  let cseq = 100
  const sdp = (): string => SDPS[roll(SDPS.length)]!
  const pbxDialogs = (): string[] => [
    ...lab.port.sent
      .filter(({ request }) => request.method === 'INVITE')
      .map((sent) => sent.madeDialog),
    ...invites.map((invite) => invite.madeDialog),
  ]
  const anyDialog = (): string => {
    const all = pbxDialogs()
    return all[roll(all.length)] ?? ''
  }
  const unanswered = new Set<FakeSent>()
  const pending = (): FakeSent | undefined => {
    for (const sent of lab.port.sent) {
      if (sent.request.method === 'INVITE' && !done.has(sent)) unanswered.add(sent)
    }
    return [...unanswered][roll(Math.max(1, unanswered.size))]
  }
  const done = new Set<FakeSent>()
  const answer = (status: number): void => {
    const sent = pending()
    if (!sent) return
    if (status >= 200) {
      unanswered.delete(sent)
      done.add(sent)
    }
    sent.respond(sent.cancelled && status >= 300 ? 487 : status, 'X', { body: sdp() })
  }
  const request = (method: string, headers: Record<string, string> = {}, body = sdp()) =>
    lab.inDialog(method, anyDialog(), {
      body,
      headers: { cseq: `${++cseq} ${method}`, ...headers },
    })
  return [
    () => request('INVITE'),
    () => request('UPDATE'),
    () => request('INVITE', {}, ''),
    () => request('ACK', { cseq: `${cseq} ACK` }),
    () => request('REFER', { 'refer-to': '<sip:202@10.0.0.9>' }, ''),
    () => request('REFER', { 'refer-to': '<sip:202@10.0.0.9>', 'refer-sub': 'false' }, ''),
    () => byes.add(request('BYE', {}, '').dialogId),
    () => request('PRACK', {}, ''),
    () => {
      const [callId = '', tag = ''] = anyDialog().split(';from-tag=')
      const them = roll(2) === 0 ? `them-${callId}` : `us-${callId}`
      const tags = roll(2) === 0 ? [tag, them] : [them, tag]
      const replaces = `${callId};to-tag=${tags[0]};from-tag=${tags[1]}`
      const invite = lab.fromPbx({ body: sdp(), headers: { replaces, cseq: `${++cseq} INVITE` } })
      invite.gone = roll(4) === 0
      invites.push(invite)
    },
    () => invites[roll(Math.max(1, invites.length))]?.cancel(),
    () => answer(200),
    () => answer(200),
    () => answer(183),
    () => answer(486),
    () => answer(503),
    () => lab.clock.advance(20_000),
    () => {
      open ??= lab.media.hold()
    },
    () => {
      open?.()
      open = undefined
    },
    () => lab.media.sessions.at(-1)?.emit({ type: 'silence', leg: 'pbx', seconds: 1 }),
    () => lab.media.sessions.at(-1)?.emit({ type: 'played', leg: 'whatsapp', file: 'x' }),
  ]
}

t.test('whatever happens in whatever order, nothing is left', async (t) => {
  const inbound = {
    ...numberConfig().inbound!,
    overflow: 'backup',
    announcement: '/wait.wav',
    earlyMedia: true,
    ringTimeout: 20_000,
  }
  const left: string[] = []
  const seen = new Set<string>()
  for (let seed = 1; seed <= RUNS; seed++) {
    const lab = await bridgeLab({
      media: { ...labConfig().media, holdMusic: '/moh.wav' },
      numbers: [numberConfig({ inbound })],
      trunks: [trunkConfig(), trunkConfig({ name: 'backup' })],
    })
    const random = new FakeRandom(seed)
    const roll = (sides: number): number => random.int(0, sides)
    const first = await START[seed % START.length]!(lab)
    await settle()
    const invites = [first]
    const byes = new Set<string | undefined>()
    const all = actions(lab, invites, byes, roll)
    for (let step = 0; step < STEPS; step++) {
      all[roll(all.length)]!()
      if (roll(3) > 0) await settle()
    }
    // What was held goes on, and an operator ends what is left.
    all.at(-3)!()
    await settle()
    for (const call of [...lab.calls.active()]) lab.bridge.hangUp(call.id)
    await settle()
    const faults = lab.lines.filter(({ level }) => Number(level) >= 50)
    for (const { id, cause } of lab.calls.ended()) {
      if (cause?.code === 'CALL_INTERNAL') faults.push({ id, cause })
    }
    const { dialogs, flows, releasing } = lab.bridge.status().held
    const beside = lab.media.sessions.reduce((sum, { replacements }) => sum + replacements, 0)
    const held = {
      calls: lab.calls.size,
      sessions: lab.media.open_,
      timers: lab.clock.pending,
      beside,
      dialogs,
      flows,
      releasing,
    }
    for (const { request } of lab.port.sent)
      if (request.method === 'BYE') byes.add(request.dialogId)
    const up = [
      ...lab.port.sent.filter(({ acked }) => acked > 0),
      ...invites.filter(({ gone, last }) => last?.status === 200 && !gone),
    ]
    const orphans = up.filter(({ madeDialog }) => !byes.has(madeDialog)).length
    held.dialogs += orphans
    const sum = Object.values(held).reduce((one, other) => one + other, 0)
    if (sum > 0 || faults.length > 0) left.push(JSON.stringify({ seed, ...held, faults }))
    for (const what of lab.media.asked) seen.add(what)
  }
  t.same(left, [])
  for (const what of ['commit', 'abandon', 'acknowledge', 'retarget', 'answerAlone', 'early']) {
    t.ok(seen.has(what), `${what} took part`)
  }
})
