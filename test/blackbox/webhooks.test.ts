import { createHmac } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { eventSchema } from '../../src/events/index.ts'
import { hang, isGenuine } from '../events/support.ts'
import { causeway } from '../support/cli.ts'
import { until } from '../support/until.ts'
import {
  BUSINESS,
  CONSUMER,
  NUMBER_ID,
  SECRETS,
  type WebhookLab,
  withWebhooks,
} from './support/webhook-lab.ts'

interface CallList {
  calls: CallRecord[]
}

/** The call of an id once WhatsApp's account of it is complete. */
async function reported(lab: WebhookLab, wacid: string): Promise<CallRecord> {
  const find = async (): Promise<CallRecord | undefined> => {
    const { calls } = await lab.get<CallList>(`/api/v1/calls?wacid=${encodeURIComponent(wacid)}`)
    return calls[0]
  }
  await until(`the webhooks of ${wacid}`, async () => {
    return (await find())?.whatsappReport?.status !== undefined
  })
  return (await find())!
}

t.test('webhooks of calls both ways arrive, are joined, and the CRM follows', (t) =>
  withWebhooks(t, async (lab) => {
    const { simulator, pbx, crm } = lab
    const { webhooks } = simulator.graph
    webhooks.subscribe({ url: lab.hook, verifyToken: 'wrong', appSecret: SECRETS.app })
    t.equal(await webhooks.verify(), false)
    webhooks.subscribe({ url: lab.hook, verifyToken: SECRETS.verify, appSecret: SECRETS.app })
    t.equal(await webhooks.verify(), true, 'the handshake')
    webhooks.duplicates = true
    webhooks.reorder = true

    const incoming = simulator.sip.placeCall({ from: CONSUMER, to: BUSINESS })
    await until('the answer', () => incoming.state === 'answered')
    simulator.sip.hangup(incoming.id)
    const first = await reported(lab, incoming.id)
    t.match(first, {
      direction: 'user-initiated',
      state: 'ended',
      whatsapp: { wacid: incoming.id },
      whatsappReport: { status: 'COMPLETED', duration: Number, errors: [] },
    })
    t.type(first.whatsappReport?.createdAt, 'number')

    const number = simulator.store.lookupNumberByPhone(BUSINESS)!
    simulator.store.grantPermission(number, CONSUMER, true)
    simulator.sip.consumers.update(CONSUMER, { script: { action: 'answer', after: 50 } })
    const arriving = simulator.sip.calls.next((call) => call.consumer === CONSUMER.slice(1))
    const outgoing = pbx.call(CONSUMER, { from: BUSINESS })
    const atWhatsApp = await arriving
    await until('the answer', () => outgoing.state === 'answered')
    outgoing.hangup()
    const second = await reported(lab, atWhatsApp.id)
    t.match(second, {
      direction: 'business-initiated',
      cause: { code: 'NORMAL', owner: 'pbx' },
      whatsapp: { wacid: atWhatsApp.id },
      whatsappReport: { status: 'COMPLETED' },
    })
    const shown = await causeway(['calls', 'show', atWhatsApp.id, '--url', lab.http])
    t.match(shown.stdout, /^ {2}webhook WhatsApp says COMPLETED, \d+ s$/m)

    await until('the events of both calls', () => {
      const told = crm.events.filter(({ type }) => type === 'call.reported')
      return (
        told.length === 2 && crm.events.filter(({ type }) => type === 'call.ended').length === 2
      )
    })
    t.ok(crm.posted.every((post) => isGenuine(post, SECRETS.crm)))
    for (const event of crm.events) t.ok(eventSchema.safeParse(event).success, event.type)
    for (const { id } of [first, second]) {
      const own = crm.events.filter(({ data }) => data['id'] === id)
      t.same(
        own.map(({ sequence }) => sequence),
        own.map((_, index) => index + 1),
        'in order, none missing, none twice',
      )
      const types = own.map(({ type }) => type)
      for (const type of ['call.started', 'call.answered', 'call.ended', 'call.reported']) {
        t.equal(types.filter((each) => each === type).length, 1, type)
      }
      const ended = own.find(({ type }) => type === 'call.ended')!
      t.type((ended.data['media'] as { verdict: string }).verdict, 'string')
    }
    const counted = await lab.metrics('causeway_webhook_')
    t.equal(counted['causeway_webhook_calls_total{result="unknown"}'], 0)
    t.equal(counted['causeway_webhook_events_total{field="calls",result="handled"}'], 4)
    t.equal(counted['causeway_webhook_events_total{field="calls",result="duplicate"}'], 4)
    const events = await lab.metrics('causeway_events_')
    t.equal(events[`causeway_events_queue{target="${new URL(crm.url).host}"}`], 0)
    const text = await (await fetch(`${lab.http}/metrics`)).text()
    t.notMatch(text, new RegExp(`${CONSUMER.slice(1)}|${BUSINESS.slice(1)}|wacid|/calls"`))
  }),
)

t.test('settings that somebody changes are repaired at once, and told', (t) =>
  withWebhooks(t, async (lab) => {
    const { simulator } = lab
    simulator.graph.webhooks.subscribe({ url: lab.hook, appSecret: SECRETS.app })
    const response = await fetch(`${simulator.graphUrl}/v24.0/${NUMBER_ID}/settings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRETS.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ calling: { status: 'DISABLED' } }),
    })
    t.equal(response.status, 200)
    const number = simulator.store.lookupNumberById(NUMBER_ID)!
    t.equal(number.calling.status, 'DISABLED')
    await until('the repair', () => number.calling.status === 'ENABLED')
    await simulator.graph.webhooks.idle()
    await lab.up.printed(/settings changed; looking at them/, 60_000)
  }),
)

t.test('forged, stale, replayed and huge webhooks change nothing', (t) =>
  withWebhooks(t, async (lab) => {
    const { simulator } = lab
    const reads = (): number => simulator.graph.requests.all.length
    const before = reads()
    const body = (timestamp: number): string =>
      JSON.stringify({
        entry: [
          {
            id: '1',
            changes: [
              {
                field: 'account_settings_update',
                value: {
                  timestamp,
                  type: 'phone_number_settings',
                  phone_number_settings: { phone_number_id: NUMBER_ID, calling: {} },
                },
              },
            ],
          },
        ],
      })
    const post = (text: string, secret: string) =>
      fetch(lab.hook, {
        method: 'POST',
        body: text,
        headers: {
          'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
        },
      })
    const now = Math.floor(Date.now() / 1000)
    t.equal((await post(body(now), 'another secret')).status, 403)
    t.equal((await fetch(lab.hook, { method: 'POST', body: body(now) })).status, 403)
    t.equal((await post(body(now - 8 * 86_400), SECRETS.app)).status, 200)
    t.equal((await post(body(now + 3600), SECRETS.app)).status, 200)
    const large = await new Promise<number | undefined>((resolve) => {
      const headers = { 'content-length': String(10 * 1024 * 1024) }
      const sent = httpRequest(lab.hook, { method: 'POST', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', () => {})
      sent.flushHeaders()
    })
    t.equal(large, 413)
    const results = async (): Promise<Record<string, number>> => ({
      ...(await lab.metrics('causeway_webhook_deliveries')),
      ...(await lab.metrics('causeway_webhook_events')),
    })
    await until('all worked off', async () => {
      return (await results())['causeway_webhook_deliveries_total{result="accepted"}'] === 2
    })
    t.equal(reads(), before, 'nobody looked at the settings')
    t.equal((await post(body(now), SECRETS.app)).status, 200)
    await until('the genuine one', () => reads() > before)
    const once = reads()
    for (let i = 0; i < 5; i++) t.equal((await post(body(now), SECRETS.app)).status, 200)
    await until('the replays', async () => {
      const field = 'causeway_webhook_events_total{field="account_settings_update"'
      return (await results())[`${field},result="duplicate"}`] === 5
    })
    t.equal(reads(), once, 'once is enough')
    t.match(await results(), {
      'causeway_webhook_deliveries_total{result="forged"}': 2,
      'causeway_webhook_deliveries_total{result="too_large"}': 1,
      'causeway_webhook_events_total{field="account_settings_update",result="stale"}': 1,
      'causeway_webhook_events_total{field="account_settings_update",result="future"}': 1,
      'causeway_webhook_events_total{field="account_settings_update",result="handled"}': 1,
    })
  }),
)

t.test('a CRM that hangs delays no call, and its events are not lost', (t) =>
  withWebhooks(t, async (lab) => {
    const { simulator, crm } = lab
    crm.script.push(...Array.from({ length: 50 }, () => hang))
    const call = simulator.sip.placeCall({ from: CONSUMER, to: BUSINESS })
    await until('the answer', () => call.state === 'answered')
    await until('the first event hangs', () => crm.posted.length > 0)
    simulator.sip.hangup(call.id)
    await until('the end', async () => {
      const { calls } = await lab.get<CallList>('/api/v1/calls?state=ended')
      return calls.length === 1
    })
    // A reload with another secret and a target more is taken at once.
    const config = JSON.parse(readFileSync(lab.file, 'utf8'))
    config.events.webhooks[0].secret_file = 'crm.secret'
    delete config.events.webhooks[0].secret
    writeFileSync(join(lab.folder, 'crm.secret'), 'another one\n')
    writeFileSync(lab.file, JSON.stringify(config))
    const reload = await causeway(['reload', '--url', lab.http, '--json'])
    t.match(JSON.parse(reload.stdout), { ok: true, applied: ['events.webhooks'], restart: [] })

    t.equal(await lab.up.stop(), 0)
    const folder = join(lab.folder, 'data')
    t.ok(existsSync(folder), 'undelivered events are kept')
    const [name] = readdirSync(folder).filter((file) => file.startsWith('undelivered'))
    const lines = readFileSync(join(folder, name!), 'utf8').trimEnd().split('\n')
    const dead = lines.map((line) => JSON.parse(line).event.type)
    for (const type of ['call.started', 'call.answered', 'call.ended']) {
      t.ok(dead.includes(type), `${type} in ${dead}`)
    }
  }),
)
