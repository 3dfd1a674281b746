import t from 'tap'
import { createAnchoredRelay, type MediaEvent } from '../../../src/media/index.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { type BridgeLab, bridgeLab, labConfig, settle } from '../../support/bridge-lab.ts'
import { numberConfig, overflowTo, trunkConfig } from '../../support/configs.ts'
import { FakeAnchor } from '../../support/fake-anchor.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import type { FakeRequest, FakeSent } from '../../support/fake-sip-port.ts'
import { editedSdp, sdpFixture } from '../../support/sdp-fixtures.ts'

const RUNS = 600
const STEPS = 20

/** What a call is played with. */
interface Stage {
  lab: BridgeLab
  random: FakeRandom
  /** Bodies of the PBX, good and bad; the first is good for an offer and an answer. */
  bodies: string[]
  offers: { whatsapp: string; pbx: string }
  /** WhatsApp's answer to our offer. */
  whatsAppAnswer(offer: string): string
  /** Holds all media work up until the function given back is called. */
  hold(): (() => void) | undefined
  emit(event: MediaEvent): void
  /** What media was asked for, and what of it is left. */
  asked(): string[]
  left(): number
}

const inbound = {
  ...numberConfig().inbound!,
  overflow: overflowTo('backup', 20_000),
  announcement: '/wait.wav',
  earlyMedia: true,
  ringTimeout: 20_000,
}
const CHANGE = {
  media: { ...labConfig().media, holdMusic: '/moh.wav' },
  numbers: [numberConfig({ inbound })],
  trunks: [trunkConfig(), trunkConfig({ name: 'backup' })],
}

/** Media that takes any text but `bad`. */
async function onFakes(seed: number): Promise<Stage> {
  const lab = await bridgeLab(CHANGE)
  return {
    lab,
    random: new FakeRandom(seed),
    bodies: ['sdp', 'bad', '', 'a=inactive', 'm=audio 1 RTP/SAVP 0\r\na=sendonly\r\n'],
    offers: { whatsapp: 'wa-offer', pbx: 'pbx-offer' },
    whatsAppAnswer: () => 'wa-answer',
    hold: () => lab.media.hold(),
    emit: (event) => lab.media.sessions.at(-1)?.emit(event),
    asked: () => lab.media.asked,
    left: () =>
      lab.media.sessions.reduce((sum, session) => sum + session.replacements, lab.media.open_),
  }
}

/** The rules of an anchored call, and an anchor that refuses what breaks its contract. */
async function onAnchor(seed: number): Promise<Stage> {
  const anchor = new FakeAnchor()
  const random = new FakeRandom(seed)
  const parts = { kind: 'embedded', anchor, random, log: silentLogger() } as const
  const lab = await bridgeLab(CHANGE, createAnchoredRelay(parts))
  const answer = sdpFixture('whatsapp-sdes-answer')
  return {
    lab,
    random,
    bodies: [
      sdpFixture('pbx-sdes-answer'),
      sdpFixture('pbx-sdes-offer'),
      editedSdp('pbx-sdes-answer', ['a=sendrecv', 'a=inactive']),
      editedSdp('pbx-sdes-answer', ['a=sendrecv', 'a=sendonly']),
      'bad',
      '',
    ],
    offers: {
      whatsapp: sdpFixture('whatsapp-sdes-offer'),
      pbx: sdpFixture('pbx-sdes-offer'),
    },
    whatsAppAnswer(offer) {
      const formats = /^m=audio \d+ \S+ (\d+).*? (\d+)\r$/m.exec(offer) ?? []
      return answer
        .replaceAll(/\b107\b/g, formats[1] ?? '')
        .replaceAll(/\b101\b/g, formats[2] ?? '')
    },
    hold: () => anchor.calls.at(-1)?.hold(),
    emit: (event) => anchor.calls.at(-1)?.listener(event),
    asked: () => anchor.calls.flatMap(({ story }) => story),
    left: () =>
      anchor.calls.reduce((sum, { released, legs }) => sum + legs.size + (released ? 0 : 1), 0),
  }
}

/** How a call begins. */
const BEGINNINGS: ((stage: Stage) => FakeRequest | Promise<FakeRequest>)[] = [
  async ({ lab, offers, bodies }) => {
    const invite = lab.fromWhatsApp({ body: offers.whatsapp })
    await settle()
    lab.port.last!.respond(200, 'OK', { body: bodies[0]! })
    return invite
  },
  async ({ lab, offers, whatsAppAnswer }) => {
    const invite = lab.fromPbx({ body: offers.pbx, headers: { cseq: '1 INVITE' } })
    await settle()
    const { request } = lab.port.last!
    lab.port.last!.respond(200, 'OK', { body: whatsAppAnswer(request.body ?? '') })
    return invite
  },
  ({ lab, offers }) => lab.fromWhatsApp({ body: offers.whatsapp }),
  ({ lab }) => lab.fromPbx({ body: '', headers: { cseq: '1 INVITE' } }),
  ({ lab, offers }) =>
    lab.fromPbx({ body: offers.pbx, headers: { require: '100rel', cseq: '1 INVITE' } }),
]

/** One call, and what happens to it. */
class Play {
  readonly stage: Stage
  /** INVITEs received. */
  readonly invites: FakeRequest[]
  /** Dialogs that were hung up, by either side. */
  readonly byes = new Set<string | undefined>()
  readonly #answered = new Set<FakeSent>()
  #open: (() => void) | undefined
  #cseq = 100

  constructor(stage: Stage, first: FakeRequest) {
    this.stage = stage
    this.invites = [first]
  }

  /** Something a PBX, WhatsApp, the relay or time may do. */
  step(): void {
    const { lab, emit } = this.stage
    const moves: (() => unknown)[] = [
      () => this.#request('INVITE'),
      () => this.#request('UPDATE'),
      () => this.#request('INVITE', {}, ''),
      () => this.#request('ACK', { cseq: `${this.#cseq} ACK` }),
      () => this.#request('REFER', { 'refer-to': '<sip:202@10.0.0.9>' }, ''),
      () => this.#request('REFER', { 'refer-to': '<sip:2@h>', 'refer-sub': 'false' }, ''),
      () => this.#hangUp(),
      () => this.#request('PRACK', {}, ''),
      () => this.#replace(),
      () => this.#one(this.invites)?.cancel(),
      () => this.#answer(200),
      () => this.#answer(200),
      () => this.#answer(183),
      () => this.#answer(486),
      () => this.#answer(503),
      () => lab.clock.advance(20_000),
      () => {
        this.#open ??= this.stage.hold()
      },
      () => this.goOn(),
      () => emit({ type: 'silence', leg: 'pbx', seconds: 1 }),
      () => emit({ type: 'played', leg: 'whatsapp', file: 'x' }),
    ]
    this.#one(moves)!()
  }

  /** Media work that is held goes on. */
  goOn(): void {
    this.#open?.()
    this.#open = undefined
  }

  /** Whether an answered call still takes an offer of the PBX, once it has its ACKs. */
  async takesOffers(): Promise<boolean> {
    const { lab, bodies } = this.stage
    // WhatsApp's leg, and no other, is on TLS.
    const onPbx = this.up().filter((one) => !/wa\.meta\.vc|transport=tls/.test(uriOf(one)))
    const up = onPbx.map(({ madeDialog }) => madeDialog)
    const body = bodies[0]!
    for (const dialogId of up) {
      for (let cseq = 1; cseq <= this.#cseq; cseq++) {
        lab.inDialog('ACK', dialogId, { body, headers: { cseq: `${cseq} ACK` } })
      }
    }
    await settle()
    const call = [...lab.calls.active()][0]
    // A transfer whose target still rings has no leg but WhatsApp's, perhaps.
    if (call?.state !== 'answered' || up.length === 0) return true
    const headers = { cseq: '9999 INVITE' }
    const offers = up.map((dialogId) => lab.inDialog('INVITE', dialogId, { body, headers }))
    await settle()
    return offers.some(({ last }) => last?.status === 200)
  }

  /** INVITEs whose dialogs are answered and were not hung up. */
  up(): (FakeSent | FakeRequest)[] {
    const { sent } = this.stage.lab.port
    for (const { request } of sent) if (request.method === 'BYE') this.byes.add(request.dialogId)
    return [
      ...sent.filter(({ acked }) => acked > 0),
      ...this.invites.filter(({ gone, last }) => last?.status === 200 && !gone),
    ].filter(({ madeDialog }) => !this.byes.has(madeDialog))
  }

  #one<T>(of: readonly T[]): T | undefined {
    return of.length === 0 ? undefined : of[this.stage.random.int(0, of.length)]
  }

  #sentInvites(): FakeSent[] {
    return this.stage.lab.port.sent.filter(({ request }) => request.method === 'INVITE')
  }

  #body(): string {
    return this.#one(this.stage.bodies)!
  }

  #dialog(): string {
    return this.#one([...this.#sentInvites(), ...this.invites])?.madeDialog ?? ''
  }

  #request(method: string, headers: Record<string, string> = {}, body = this.#body()) {
    const all = { cseq: `${++this.#cseq} ${method}`, ...headers }
    return this.stage.lab.inDialog(method, this.#dialog(), { body, headers: all })
  }

  #hangUp(): void {
    const up = this.up().map(({ madeDialog }) => madeDialog)
    const { dialogId } = this.#request('BYE', {}, '')
    // The SIP server answers one that comes before the dialog is there.
    if (up.includes(dialogId)) this.byes.add(dialogId)
  }

  #answer(status: number): void {
    const sent = this.#one(this.#sentInvites().filter((one) => !this.#answered.has(one)))
    if (!sent) return
    if (status >= 200) this.#answered.add(sent)
    const over = sent.cancelled !== undefined && status >= 300
    sent.respond(over ? 487 : status, 'X', { body: this.#body() })
  }

  #replace(): void {
    const { lab, random } = this.stage
    const [callId = '', tag = ''] = this.#dialog().split(';from-tag=')
    const other = `${random.int(0, 2) === 0 ? 'them' : 'us'}-${callId}`
    const [to, from] = random.int(0, 2) === 0 ? [tag, other] : [other, tag]
    const replaces = `${callId};to-tag=${to};from-tag=${from}`
    const headers = { replaces, cseq: `${++this.#cseq} INVITE` }
    const invite = lab.fromPbx({ body: this.#body(), headers })
    invite.gone = random.int(0, 4) === 0
    this.invites.push(invite)
  }
}

function uriOf(invite: FakeSent | FakeRequest): string {
  return 'request' in invite ? invite.request.uri : invite.uri
}

for (const [name, setUp, involved] of [
  ['media that only writes down', onFakes, ['commit', 'abandon', 'acknowledge', 'retarget']],
  ['media by the rules of an anchor', onAnchor, ['promote', 'drop next', 'drop pbx', 'accept pbx']],
] as const) {
  t.test(`whatever happens in whatever order, nothing is left: ${name}`, async (t) => {
    const wrong: string[] = []
    const seen = new Set<string>()
    for (let seed = 1; seed <= RUNS; seed++) {
      const stage = await setUp(seed)
      const { lab, random } = stage
      const first = await BEGINNINGS[seed % BEGINNINGS.length]!(stage)
      await settle()
      const play = new Play(stage, first)
      for (let step = 0; step < STEPS; step++) {
        play.step()
        if (random.int(0, 3) > 0) await settle()
      }
      play.goOn()
      await settle()
      if (!(await play.takesOffers())) wrong.push(`seed ${seed}: the session is broken`)
      for (const { id } of [...lab.calls.active()]) lab.bridge.hangUp(id)
      await settle()
      const left = {
        calls: lab.calls.size,
        timers: lab.clock.pending,
        media: stage.left(),
        ...lab.bridge.status().held,
        peers: play.up().length,
        faults: lab.lines.filter(({ level }) => Number(level) >= 50).length,
      }
      if (Object.values(left).some((count) => count > 0)) {
        wrong.push(`seed ${seed}: ${JSON.stringify(left)}`)
      }
      for (const what of stage.asked()) seen.add(what)
    }
    t.same(wrong, [])
    for (const what of involved) t.ok(seen.has(what), `${what} took part`)
  })
}
