import t from 'tap'
import {
  Diagnosis,
  type LegSnapshot,
  overallVerdict,
  type VerdictChange,
} from '../../../src/media-relay/rtp/index.ts'
import { definitionOf } from '../../../src/shared/errors/index.ts'

const WALL = 1_700_000_000_000
const PBX = '10.0.0.9:4000'
const META = '198.51.100.49:3480'

/** What a side does in a second. */
interface Second {
  packets?: number
  auth?: number
  wrongSource?: number
  wrongPayloadType?: number
  held?: boolean
  mayNot?: boolean
  ptime?: number
}

const TALKS: Second = { packets: 50 }
const QUIET: Second = {}

/** A leg that lives through seconds. */
class Leg implements LegSnapshot {
  maySendSince: number | undefined
  held = false
  packets = 0
  lastPacketAt: number | undefined
  discarded = { auth: 0, replayed: 0, wrongSource: 0, wrongPayloadType: 0, malformed: 0 }
  remote: string | undefined
  strange: string | undefined
  strangePayloadType: number | undefined
  codec: string | undefined = 'opus'
  ptime: number | undefined

  constructor(remote: string) {
    this.remote = remote
  }

  live(second: Second, nowMs: number): void {
    this.maySendSince = second.mayNot ? undefined : (this.maySendSince ?? nowMs - 1000)
    this.held = second.held ?? false
    this.ptime = second.ptime ?? this.ptime
    if (second.packets) {
      this.packets += second.packets
      this.lastPacketAt = nowMs - 5
    }
    this.discarded.auth += second.auth ?? 0
    this.discarded.wrongSource += second.wrongSource ?? 0
    this.discarded.wrongPayloadType += second.wrongPayloadType ?? 0
    if (second.wrongSource) this.strange = '10.0.0.7:4000'
    if (second.wrongPayloadType) this.strangePayloadType = 9
  }
}

/** A call that lives through seconds; changes as `+CODE side` and `-CODE side` with their second. */
class Call {
  readonly pbx = new Leg(PBX)
  readonly whatsapp = new Leg(META)
  readonly diagnosis = new Diagnosis(0, WALL)
  readonly log: string[] = []
  changes: readonly VerdictChange[] = []
  second = 0

  live(seconds: number, pbx: Second, whatsapp: Second = TALKS): this {
    for (let i = 0; i < seconds; i++) {
      this.second++
      const now = this.second * 1000
      this.pbx.live(pbx, now)
      this.whatsapp.live(whatsapp, now)
      const changes = this.diagnosis.update(now, this)
      for (const { verdict, cleared } of changes) {
        this.log.push(`${this.second} ${cleared ? '-' : '+'}${verdict.code} ${verdict.side}`)
      }
      if (changes.length > 0) this.changes = changes
    }
    return this
  }

  get overall() {
    return this.diagnosis.overall(this)
  }
}

t.test('a good call has no verdict', async (t) => {
  const call = new Call().live(60, TALKS)
  t.strictSame(call.log, [])
  t.equal(call.overall, 'good')
  t.equal(call.diagnosis.oneWay, undefined)
})

t.test('each cause: raised once, most specific alone, cleared when it ends', async (t) => {
  const rows: [string, Second, string, RegExp][] = [
    ['silence', QUIET, 'MEDIA_SILENT_PBX', /^no packet from 10\.0\.0\.9:4000 for 3 s; 500 before$/],
    [
      'from elsewhere',
      { wrongSource: 40 },
      'MEDIA_WRONG_SOURCE',
      /^no packet from 10\.0\.0\.9:4000 for 3 s; 120 from 10\.0\.0\.7:4000 discarded$/,
    ],
    [
      'undecipherable',
      { auth: 50 },
      'MEDIA_DECRYPT',
      /^none of 150 packets from 10\.0\.0\.9:4000 in 3 s was usable: they could not be authentic/,
    ],
    [
      'another codec',
      { wrongPayloadType: 50 },
      'MEDIA_WRONG_PAYLOAD_TYPE',
      /^none of 150 packets .* had payload type 9$/,
    ],
    ['a scan', { wrongSource: 1 }, 'MEDIA_SILENT_PBX', /; 3 from 10\.0\.0\.7:4000 discarded; 500/],
    ['most count', { auth: 50, wrongSource: 4 }, 'MEDIA_DECRYPT', /authenticated/],
  ]
  for (const [name, second, code, detail] of rows) {
    const call = new Call().live(10, TALKS)
    call.live(10, second)
    t.strictSame(call.log, [`13 +${code} pbx`], name)
    const { verdict } = call.changes[0]!
    t.match(verdict.detail, detail, name)
    t.equal(verdict.fix, definitionOf(verdict.code).fix)
    t.equal(verdict.owner, definitionOf(verdict.code).owner)
    t.equal(verdict.since, WALL + 9995, 'since the last packet')
    t.equal(call.overall, 'one-way', name)
    t.equal(call.diagnosis.oneWay, 'pbx', name)
    call.live(10, TALKS)
    t.strictSame(call.log.at(-1)?.replace(/^\d+ /, ''), `-${code} pbx`, name)
    t.equal(call.log.length, 2, `${name}: ${call.log}`)
    t.equal(call.overall, 'good', name)
    t.match(call.diagnosis.verdicts, [{ code, clearedAt: Number }], name)
    t.equal(call.diagnosis.oneWay, undefined, name)
  }
})

t.test('the same from the first second on, and from WhatsApp', async (t) => {
  const call = new Call().live(10, TALKS, QUIET)
  t.strictSame(call.log, ['3 +MEDIA_SILENT_WHATSAPP whatsapp'])
  t.equal(call.changes[0]!.verdict.detail, `no packet from ${META} for 3 s`)
  t.equal(call.changes[0]!.verdict.owner, 'user')
  t.equal(call.diagnosis.oneWay, 'whatsapp')
  const other = new Call().live(10, TALKS, { auth: 50 })
  t.match(other.changes, [{ verdict: { code: 'MEDIA_DECRYPT', owner: 'whatsapp' } }])
})

t.test('both silent: two verdicts, and not one-way', async (t) => {
  const call = new Call().live(10, QUIET, QUIET)
  t.strictSame(call.log, ['3 +MEDIA_SILENT_WHATSAPP whatsapp', '3 +MEDIA_SILENT_PBX pbx'])
  t.equal(call.diagnosis.oneWay, undefined)
  t.equal(call.overall, 'bad')
})

t.test('a reason that shows later takes the place of plain silence', async (t) => {
  const call = new Call().live(5, QUIET).live(3, { wrongSource: 50 }).live(5, QUIET)
  t.strictSame(call.log, [
    '3 +MEDIA_SILENT_PBX pbx',
    '6 -MEDIA_SILENT_PBX pbx',
    '6 +MEDIA_WRONG_SOURCE pbx',
  ])
})

t.test('silence that is agreed on, or short, is none', async (t) => {
  const rows: [string, [number, Second][]][] = [
    [
      'hold',
      [
        [5, TALKS],
        [60, { held: true }],
        [5, TALKS],
      ],
    ],
    [
      'may not send yet',
      [
        [60, { mayNot: true }],
        [5, TALKS],
      ],
    ],
    [
      'pauses of two seconds',
      [
        [5, TALKS],
        [2, QUIET],
        [5, TALKS],
        [2, QUIET],
        [5, TALKS],
      ],
    ],
    [
      'two seconds after hold',
      [
        [5, TALKS],
        [60, { held: true }],
        [2, QUIET],
        [5, TALKS],
      ],
    ],
    [
      'discards while held',
      [
        [5, TALKS],
        [60, { held: true, auth: 50 }],
        [5, TALKS],
      ],
    ],
  ]
  for (const [name, seconds] of rows) {
    const call = new Call()
    for (const [count, second] of seconds) call.live(count, second)
    t.strictSame(call.log, [], name)
    t.equal(call.overall, 'good', name)
  }
})

t.test('hold ends the silence, and resuming without media begins it anew', async (t) => {
  const call = new Call().live(5, TALKS).live(5, QUIET).live(5, { held: true }).live(5, QUIET)
  t.strictSame(call.log, [
    '8 +MEDIA_SILENT_PBX pbx',
    '11 -MEDIA_SILENT_PBX pbx',
    '19 +MEDIA_SILENT_PBX pbx',
  ])
})

t.test('faults among good packets', async (t) => {
  const rows: [string, Second, string[]][] = [
    ['half undecipherable', { packets: 25, auth: 25 }, ['MEDIA_DECRYPT']],
    ['a tenth', { packets: 45, auth: 5 }, []],
    ['another payload type', { packets: 30, wrongPayloadType: 20 }, ['MEDIA_WRONG_PAYLOAD_TYPE']],
    ['comfort noise now and then', { packets: 49, wrongPayloadType: 1 }, []],
    ['strangers beside good media', { packets: 50, wrongSource: 50 }, []],
    ['Opus of 60 ms', { packets: 17, ptime: 60 }, ['MEDIA_PTIME_MISMATCH']],
  ]
  for (const [name, second, codes] of rows) {
    const call = new Call().live(5, { packets: 50, ptime: 20 }).live(10, second)
    t.strictSame(
      call.log,
      codes.map((code) => `8 +${code} pbx`),
      name,
    )
    t.equal(call.overall, codes.length > 0 ? 'bad' : 'good', name)
    call.live(2, { packets: 50, ptime: 20 }).live(1, second).live(10, { packets: 50, ptime: 20 })
    t.equal(call.log.length, codes.length * 2, `${name}: ${call.log}`)
  }
  const g711 = new Call()
  g711.pbx.codec = 'PCMA'
  g711.live(10, { packets: 17, ptime: 60 })
  t.strictSame(g711.log, [], 'G.711 is repacked')
})

t.test('a new leg in place of the old one begins without a past', async (t) => {
  const call = new Call().live(10, TALKS)
  const second = new Leg('10.0.0.8:4000')
  second.discarded.wrongSource = 30
  Object.assign(call, { pbx: second })
  call.live(2, QUIET)
  t.strictSame(call.log, [])
  call.live(5, QUIET)
  t.strictSame(call.log, ['14 +MEDIA_SILENT_PBX pbx'])
})

t.test('a new leg in place of one that was never heard', async (t) => {
  const call = new Call().live(2, QUIET)
  const second = new Leg('10.0.0.8:4000')
  Object.assign(call, { pbx: second })
  call.live(2, QUIET)
  t.strictSame(call.log, [])
  call.live(2, QUIET)
  t.strictSame(call.log, ['5 +MEDIA_SILENT_PBX pbx'])
})

t.test('a leg that is gone has nothing wrong', async (t) => {
  const call = new Call().live(5, QUIET)
  const changes = call.diagnosis.update(6000, { whatsapp: call.whatsapp, pbx: undefined })
  t.match(changes, [{ cleared: true, verdict: { code: 'MEDIA_SILENT_PBX' } }])
  t.equal(call.diagnosis.oneWay, undefined)
})

t.test('what a call remembers is bounded', async (t) => {
  const call = new Call()
  for (let i = 0; i < 100; i++) call.live(4, QUIET).live(1, TALKS)
  t.equal(call.diagnosis.verdicts.length, 32)
  call.live(5, QUIET)
  t.equal(call.diagnosis.verdicts.at(-1)!.clearedAt, undefined)
})

t.test('a call in a word', async (t) => {
  const heard = { packets: 5, held: false }
  const unheard = { packets: 0, held: false }
  const held = { packets: 0, held: true }
  const rows: [string, Parameters<typeof overallVerdict>][] = [
    ['none', [{ whatsapp: undefined, pbx: undefined }, undefined, false]],
    ['none', [{ whatsapp: unheard, pbx: unheard }, undefined, false]],
    ['bad', [{ whatsapp: unheard, pbx: unheard }, undefined, true]],
    ['one-way', [{ whatsapp: heard, pbx: unheard }, undefined, false]],
    ['good', [{ whatsapp: heard, pbx: undefined }, undefined, false]],
    ['good', [{ whatsapp: heard, pbx: held }, undefined, false]],
    ['good', [{ whatsapp: heard, pbx: heard }, undefined, false]],
    ['one-way', [{ whatsapp: heard, pbx: heard }, 'pbx', true]],
    ['bad', [{ whatsapp: heard, pbx: heard }, undefined, true]],
  ]
  for (const [word, args] of rows) t.equal(overallVerdict(...args), word, JSON.stringify(args))
})
