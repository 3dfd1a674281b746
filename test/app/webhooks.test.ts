import t from 'tap'
import { Events } from '../../src/app/events.ts'
import { Webhooks } from '../../src/app/webhooks.ts'
import { CallRegistry } from '../../src/calls/index.ts'
import type { Config } from '../../src/config/types.ts'
import { eventSchema } from '../../src/events/index.ts'
import type { NumberSettingsState } from '../../src/settings/index.ts'
import { createLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { type PermissionWebhook, signatureOf } from '../../src/webhooks/index.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { numberConfig } from '../support/configs.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { fixture } from '../webhooks/support.ts'

const appSecret = new Secret('app')

function lab(change: Partial<Config> = {}, look: () => Promise<unknown> = async () => {}) {
  const clock = new FakeClock()
  const calls = new CallRegistry(clock)
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const published: Record<string, unknown>[] = []
  const base = labConfig()
  const config: Config = {
    ...base,
    whatsapp: {
      ...base.whatsapp,
      webhooks: { path: '/webhooks/whatsapp', verifyToken: new Secret('v'), appSecret },
    },
    numbers: [
      numberConfig(),
      numberConfig({ name: 'sales', phoneNumber: '+441632960124', phoneNumberId: '2' }),
    ],
    events: {
      webhooks: [{ url: 'https://crm.example.com/', secret: new Secret('crm'), events: undefined }],
    },
    ...change,
  }
  const events = new Events({
    config: () => config,
    calls,
    clock,
    random: new FakeRandom(),
    log,
    post: async (_url, _headers, body) => {
      published.push(eventSchema.parse(JSON.parse(body)))
      return { ok: true, status: 200 }
    },
  })
  const checked: string[] = []
  const webhooks = new Webhooks({
    config: () => config,
    calls,
    check: async (name) => {
      checked.push(name)
      if (name === 'sales') throw new Error('unreachable')
      await look()
    },
    publisher: events.publisher,
    clock,
    log,
  })
  const receive = async (name: string, edit = (text: string) => text): Promise<void> => {
    const body = Buffer.from(edit(fixture(name)))
    t.equal(webhooks.door!.receive(body, signatureOf(appSecret, body)), 'accepted')
    await webhooks.receiver.idle()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { webhooks, events, receive, checked, published, lines, calls }
}

t.test('changed settings of a number are looked at, at once', async (t) => {
  const { receive, checked, lines } = lab()
  await receive('settings-update')
  t.same(checked, ['support'])
  await receive('settings-update', (text) => text.replace('106540352242922', '999'))
  t.same(checked, ['support'])
  t.match(lines.at(-1), { phoneNumberId: '999', msg: /not configured/ })
})

t.test('changes that come while the settings are looked at lead to one more look', async (t) => {
  const ends: (() => void)[] = []
  const looked = () => new Promise<void>((resolve) => ends.push(resolve))
  const { receive, checked } = lab({}, looked)
  const at = (second: number) => (text: string) =>
    text.replace('"1700000000"', `"17000000${10 + second}"`)
  for (let i = 0; i < 4; i++) await receive('settings-update', at(i))
  t.same(checked, ['support'])
  ends.shift()!()
  await new Promise((resolve) => setImmediate(resolve))
  t.same(checked, ['support', 'support'])
  ends.shift()!()
  await new Promise((resolve) => setImmediate(resolve))
  t.same(checked, ['support', 'support'])
})

t.test('settings of a number that is not managed are left alone', async (t) => {
  const { receive, checked, lines } = lab({ numbers: [numberConfig({ manage: 'off' })] })
  await receive('settings-update')
  t.same(checked, [])
  t.match(lines, [{ number: 'support', msg: /not managed/ }])
})

t.test('permission replies are published and handed on', async (t) => {
  const { webhooks, receive, published, lines } = lab()
  const taken: PermissionWebhook[] = []
  webhooks.consumers.add({ onPermissionReply: (event) => void taken.push(event) })
  await receive('permission-accepted')
  await receive('permission-accepted')
  await receive('permission-revoked')
  t.match(published, [
    {
      type: 'permission.changed',
      time: '2023-11-14T22:13:20.000Z',
      number: { name: 'support' },
      data: {
        consumer: '+33199001234',
        response: 'accept',
        permanent: false,
        expiresAt: 1_700_604_800_000,
        contextId: 'wamid.request',
      },
    },
    {
      type: 'permission.changed',
      data: { userId: 'FR.13491208655302741918', response: 'reject', source: 'automatic' },
    },
  ])
  t.same(
    taken.map(({ response }) => response),
    ['accept', 'reject'],
  )
  t.match(lines[0], { number: 'support', to: '+33199001234', msg: 'call permission replied' })
})

t.test('violations and restrictions are published, logged, and looked at', async (t) => {
  const { receive, published, lines, checked } = lab()
  await receive('account-violation')
  t.match(published, [
    {
      type: 'account.violation',
      number: { name: 'support' },
      data: { violation: 'USER_INITIATED_CALLS_LOW_PICKUP_RATE', remediation: 'Answer more calls' },
    },
  ])
  t.match(lines[0], { level: 40, violation: 'USER_INITIATED_CALLS_LOW_PICKUP_RATE' })
  t.same(checked, [])
  await receive('account-restriction')
  t.match(published[1], {
    type: 'account.restriction',
    data: {
      accountId: '102290129340398',
      restrictions: [
        { type: 'RESTRICTED_BUSINESS_INITIATED_CALLING', expiresAt: 1_700_604_800_000 },
        { type: 'RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN' },
      ],
    },
  })
  t.same(checked, ['support', 'sales'], 'the event names no number')
  t.match(lines.at(-1), { number: 'sales', msg: 'settings cannot be looked at' })
  await receive('tier-update')
  t.equal(published.length, 2)
  t.match(lines.at(-1), { level: 30, event: 'VOLUME_BASED_PRICING_TIER_UPDATE' })
})

t.test('drift is published when it changes', async (t) => {
  const { events, published } = lab()
  const state = (...paths: string[]): NumberSettingsState => ({
    status: 'ok',
    actual: undefined,
    drift: paths.map((path) => ({ path, actual: undefined, desired: 'ENABLED' })),
    warnings: [],
    error: undefined,
    credentialsAt: undefined,
    lastChecked: undefined,
  })
  for (const paths of [[], ['calling.status'], ['calling.status'], [], []]) {
    events.onSettings('support', state(...paths))
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.match(published, [
    {
      type: 'settings.drift',
      number: { name: 'support' },
      data: { differences: [{ path: 'calling.status', desired: 'ENABLED' }] },
    },
    { type: 'settings.drift', data: { differences: [] } },
  ])
  t.equal(published.length, 2)
})

t.test('without webhooks in the configuration there is no path', async (t) => {
  t.equal(lab({ whatsapp: labConfig().whatsapp }).webhooks.door.path(), undefined)
})

t.test('a target that fails warns in the health report', async (t) => {
  const { events } = lab()
  t.match(events.checks(), [{ component: 'events', id: 'crm.example.com', status: 'pass' }])
})
