import t from 'tap'
import { Calling } from '../../src/app/calling.ts'
import { CallRegistry, causeOf, hungUpBy } from '../../src/calls/index.ts'
import type { Config } from '../../src/config/types.ts'
import type { NumberSettingsState } from '../../src/settings/index.ts'
import { CausewayError, type ErrorCode } from '../../src/shared/errors/index.ts'
import { createLogger } from '../../src/shared/log.ts'
import { configOf, edit } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'

const NOW = Date.parse('2026-06-14T12:00:00Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const CONSUMER = '+33199001234'

/** Calling on a registry; the settings are what the test says. */
function callingLab(t: { teardown(end: () => Promise<void>): void }) {
  const clock = new FakeClock(NOW)
  const calls = new CallRegistry(clock)
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const state: { config: Config; settings: Partial<NumberSettingsState> } = {
    config: configOf(edit()),
    settings: {},
  }
  const calling = new Calling({
    config: () => state.config,
    settings: () => state.settings as NumberSettingsState,
    calls,
    clock,
    random: new FakeRandom(),
    log: createLogger({ level: 'info', numbers: 'full', destination }),
  })
  t.teardown(() => calling.stop())
  let count = 0

  /** A business-initiated call that ends with a code, after ringing unless told otherwise. */
  function call(code: ErrorCode | 'NORMAL', options: { rings?: boolean; leaves?: boolean } = {}) {
    const { rings = true, leaves = true } = options
    const one = calls.begin({
      id: `${++count}`,
      direction: 'business-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: CONSUMER,
      trunk: 'main',
    })
    one.moveTo('calling')
    if (leaves) one.note('whatsapp', 'out', 'INVITE')
    if (rings) one.moveTo('ringing')
    if (code === 'NORMAL') {
      one.moveTo('answered')
      one.end(hungUpBy('pbx'))
    } else one.end(causeOf(new CausewayError(code)))
  }
  const streak = () =>
    lines.filter(({ inARow }) => inARow !== undefined).map((line) => line['inARow'])
  return { calling, calls, call, clock, lines, state, streak }
}

t.test('which ends of a call count as missed', async (t) => {
  const rows: [ErrorCode, boolean, missed: boolean][] = [
    ['CALL_WHATSAPP_UNAVAILABLE', true, true],
    ['CALL_WHATSAPP_UNAVAILABLE', false, true],
    ['CALL_WHATSAPP_DECLINED', true, true],
    ['CALL_CANCELLED', true, true],
    ['CALL_CANCELLED', false, false],
    ['CALL_DRAINED', true, true],
    ['CALL_ENDED_BY_OPERATOR', true, true],
    ['CALL_WHATSAPP_FAILED', true, false],
    ['CALL_OUTSIDE_HOURS', false, false],
  ]
  for (const [code, rings, missed] of rows) {
    const { call, streak } = callingLab(t)
    call(code, { rings })
    call(code, { rings })
    t.same(streak(), missed ? [2] : [], `${code}${rings ? ' after ringing' : ''}`)
  }
})

t.test('an answered call ends the streak; so does one of the consumer', async (t) => {
  const { calls, call, streak } = callingLab(t)
  call('CALL_WHATSAPP_DECLINED')
  call('NORMAL')
  call('CALL_WHATSAPP_DECLINED')
  t.same(streak(), [])
  const own = calls.begin({
    id: 'in',
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: CONSUMER,
    trunk: 'main',
  })
  own.moveTo('calling')
  own.moveTo('answered')
  call('CALL_WHATSAPP_DECLINED')
  t.same(streak(), [])
  call('CALL_WHATSAPP_DECLINED')
  t.same(streak(), [2])
})

t.test('a reload forgets neither streaks nor events', async (t) => {
  const { calling, call, state, streak } = callingLab(t)
  call('CALL_WHATSAPP_DECLINED')
  const at = NOW
  calling.applyAccountEvent({
    phoneNumber: '441632960123',
    kind: 'restriction',
    type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
    expires: undefined,
    remediation: undefined,
    at,
  })
  state.config = configOf(edit(['    outbound: { number: support }', '    permissions: check']))
  call('CALL_WHATSAPP_DECLINED')
  t.same(streak(), [2])
  const [number] = state.config.numbers
  const [trunk] = state.config.trunks
  t.match(calling.admit(number!, trunk!, CONSUMER), {
    code: 'CALL_WHATSAPP_PAUSED',
    detail: 'until 2026-06-21T12:00:00Z',
  })
})

t.test('a restriction that later settings do not show any more was lifted', async (t) => {
  const { calling, state } = callingLab(t)
  const [number] = state.config.numbers
  const [trunk] = state.config.trunks
  calling.applyAccountEvent({
    phoneNumber: undefined,
    kind: 'restriction',
    type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
    expires: undefined,
    remediation: undefined,
    at: NOW,
  })
  const admit = () => calling.admit(number!, trunk!, CONSUMER)
  const paused = { code: 'CALL_WHATSAPP_PAUSED' }
  t.match(admit(), paused, 'never read')
  state.settings = { status: 'ok', lastChecked: NOW + 60_000 }
  t.match(admit(), paused, 'the settings may not have caught up')
  state.settings = { status: 'failed', lastChecked: NOW + 2 * HOUR }
  t.match(admit(), paused, 'nothing was read')
  state.settings = { status: 'ok', lastChecked: NOW + HOUR }
  t.equal(admit(), undefined)
  t.same(calling.checks(), [])
})

t.test(
  'with several numbers an event of the account warns of all and refuses no call',
  async (t) => {
    const { calling, state, lines } = callingLab(t)
    const [number] = state.config.numbers
    const other = { ...number!, name: 'sales', phoneNumber: '+441632960124' }
    state.config = { ...state.config, numbers: [number!, other] }
    const event = {
      phoneNumber: undefined,
      kind: 'restriction' as const,
      type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
      expires: undefined,
      remediation: undefined,
      at: NOW,
    }
    t.ok(calling.applyAccountEvent(event))
    t.equal(calling.admit(number!, state.config.trunks[0]!, CONSUMER), undefined)
    t.match(
      calling.checks().map(({ id, output }) => [id, output]),
      [
        ['support', /PERMISSION_QUALITY: RESTRICTED_\w+ for a number of the account at 2026/],
        ['sales', /PERMISSION_QUALITY/],
      ],
    )
    t.match(lines, [{ code: 'CALL_WHATSAPP_PAUSED' }])
    t.ok(calling.applyAccountEvent({ ...event, phoneNumber: '441632960124' }))
    t.equal(calling.admit(number!, state.config.trunks[0]!, CONSUMER), undefined)
    t.match(calling.admit(other, state.config.trunks[0]!, CONSUMER), {
      code: 'CALL_WHATSAPP_PAUSED',
    })
  },
)

t.test('our own refusal does not forget what it came from', async (t) => {
  const { calling, call, state } = callingLab(t)
  const [number] = state.config.numbers
  const reply = {
    phoneNumberId: number!.phoneNumberId,
    consumers: [CONSUMER],
    response: 'accept' as const,
    permanent: true,
    expires: undefined,
    at: NOW,
  }
  const cached = async () =>
    calling.metrics().find(({ name }) => name === 'permissions_cached')?.samples[0]?.value
  calling.applyReply(reply)
  state.config.trunks[0]!.permissions.mode = 'check'
  const admit = () => calling.admit(number!, state.config.trunks[0]!, CONSUMER)
  call('CALL_WHATSAPP_NO_PERMISSION', { rings: false, leaves: false })
  t.equal(admit(), undefined)
  t.equal(await cached(), 1)
  call('CALL_WHATSAPP_NO_PERMISSION', { rings: false })
  const asked = admit()
  t.ok(asked && 'abandon' in asked, 'asked anew')
  if (asked && 'abandon' in asked) {
    asked.abandon()
    await asked.verdict
  }
})

t.test(
  'health warns of restrictions with their end, of violations, and of a low pickup rate',
  async (t) => {
    const { calling, call, clock, lines, state } = callingLab(t)
    t.same(calling.checks(), [])
    state.settings.actual = {
      restrictions: [
        {
          type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
          reason: 'LOW_QUALITY',
          expiration: (NOW + DAY) / 1000,
        },
        {
          type: 'RESTRICTED_USER_INITIATED_CALLING',
          reason: undefined,
          expiration: (NOW + 2 * DAY) / 1000,
        },
      ],
    } as unknown as NonNullable<NumberSettingsState['actual']>
    const event = {
      phoneNumber: '+441632960123',
      kind: 'violation' as const,
      type: 'LOW_BUSINESS_INITIATED_CALLING_QUALITY',
      expires: undefined,
      remediation: 'call less often',
      at: NOW,
    }
    t.ok(calling.applyAccountEvent(event))
    t.notOk(calling.applyAccountEvent(event), 'told once')
    t.match(lines, [{ level: 40, code: 'PERMISSION_QUALITY', number: 'support', type: event.type }])
    for (let n = 0; n < 20; n++) call('CALL_WHATSAPP_UNAVAILABLE')
    const [check, ...others] = calling.checks()
    t.same(others, [])
    t.match(check, { component: 'calling', id: 'support', status: 'warn', ready: true })
    t.match(check!.output, /^CALL_WHATSAPP_PAUSED: .* until 2026-06-15T12:00:00Z; /)
    t.match(check!.output, /SETTINGS_RESTRICTED: .* until 2026-06-16T12:00:00Z/)
    t.match(check!.output, /PERMISSION_QUALITY: LOW_\w+ at 2026-06-14T12:00:00Z; call less often/)
    t.match(check!.output, /PERMISSION_PICKUP_LOW: 0 of 20 calls were answered/)
    t.notMatch(check!.output, /\d{7,}/, 'no phone number')
    clock.advance(7 * DAY)
    t.same(calling.checks(), [], 'all of it passes by itself')
  },
)

t.test('what a record says of the permission: nothing where it is not asked for', async (t) => {
  const { calling, state } = callingLab(t)
  const number = state.config.numbers[0]!
  const trunk = state.config.trunks[0]!
  const asked = { ...trunk, permissions: { ...trunk.permissions, mode: 'check' as const } }
  t.same(calling.permission(number, asked, CONSUMER), { status: undefined, expiresAt: undefined })
  const off = { ...trunk, permissions: { ...trunk.permissions, mode: 'off' as const } }
  t.equal(calling.permission(number, off, CONSUMER), undefined)
})
