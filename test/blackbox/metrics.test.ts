import t from 'tap'
import { type ParsedFamily, parseOpenMetrics } from '../support/openmetrics.ts'
import { businessTalk, metaBye, pbxBye, pbxInvite, userTalk } from './support/calls.ts'
import { BUSINESS, CONSUMER, type Lab, NUMBER_ID, withLab } from './support/lab.ts'

const USER_ID = 'FR.13491208655302741918'

async function scrape(lab: Lab): Promise<ParsedFamily[]> {
  const answer = await fetch(`${lab.at.http}/metrics`)
  return parseOpenMetrics(await answer.text())
}

/** The sum of the samples that have these labels. */
function sum(families: ParsedFamily[], name: string, labels: Record<string, string> = {}): number {
  const samples = families.flatMap((family) => family.samples)
  return samples
    .filter((sample) => sample.name === `causeway_${name}`)
    .filter((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))
    .reduce((total, { value }) => total + value, 0)
}

t.test('what a full instance exposes after calls each way', (t) =>
  withLab(t, {}, async (lab) => {
    const told: string[] = [BUSINESS.slice(1), CONSUMER.slice(1), NUMBER_ID, USER_ID, 'wacid']
    const first = await userTalk(lab, { headers: [['x-wa-meta-user-id', USER_ID]] })
    told.push(first.meta.callId, first.meta.wacid, first.pbx.state.callId)
    const during = await scrape(lab)
    t.equal(sum(during, 'calls_active', { direction: 'user-initiated', number: 'support' }), 1)
    await metaBye(lab, first)
    const second = await businessTalk(lab)
    told.push(second.wa.state.callId, second.pbx.state.callId)
    await pbxBye(lab, second)
    const refused = pbxInvite(lab, { to: '200' })
    lab.pbx.send(lab.at.udp, refused.raw)
    await lab.pbx.inbox.take({ status: 404, callId: refused.callId })
    told.push(refused.callId)

    const after = await scrape(lab)
    t.ok(after.length > 80, `${after.length} families`)
    t.ok(after.some(({ name }) => name === 'causeway_process_start_time_seconds'))
    for (const direction of ['user-initiated', 'business-initiated']) {
      const of = { direction, number: 'support' }
      t.equal(sum(after, 'calls_active', of), 0)
      t.equal(sum(after, 'calls_started_total', of), 1)
      t.equal(sum(after, 'calls_answered_total', of), 1)
      t.equal(sum(after, 'call_setup_seconds_count', { direction }), 1)
      t.equal(sum(after, 'call_post_dial_delay_seconds_count', { direction }), 1)
      t.equal(sum(after, 'call_duration_seconds_count', { direction }), 1)
    }
    const normal = { result: 'completed', code: 'NORMAL', number: 'support' }
    t.equal(sum(after, 'calls_ended_total', { ...normal, owner: 'whatsapp' }), 1)
    t.equal(sum(after, 'calls_ended_total', { ...normal, owner: 'pbx' }), 1)
    t.equal(sum(after, 'invites_refused_total', { side: 'pbx', code: 'CALL_DIALLED_INVALID' }), 1)

    const digests = (role: string, result: string) =>
      sum(after, 'digests_total', { side: 'whatsapp', role, result })
    t.equal(digests('checked', 'challenged'), 1, 'WhatsApp sends no digest at first')
    t.equal(digests('checked', 'good'), 1)
    t.equal(digests('answered', 'challenged'), 1, 'and asks for ours')
    t.equal(digests('answered', 'refused'), 0)

    for (const [peer, direction, method, least] of [
      // With and without digest.
      ['whatsapp', 'in', 'INVITE', 2],
      ['whatsapp', 'out', 'INVITE', 2],
      ['pbx', 'out', 'INVITE', 1],
      ['pbx', 'in', 'INVITE', 2],
      ['whatsapp', 'in', 'BYE', 1],
      ['pbx', 'in', 'BYE', 1],
      ['whatsapp', 'out', 'BYE', 1],
      ['pbx', 'out', 'BYE', 1],
    ] as const) {
      const value = sum(after, 'sip_requests_total', { peer, direction, method })
      t.ok(value >= least, `${method} ${direction} ${peer}: ${value}`)
    }
    for (const [peer, direction, of] of [
      ['whatsapp', 'out', '4xx'],
      ['whatsapp', 'in', '4xx'],
      ['whatsapp', 'out', '2xx'],
      ['whatsapp', 'in', '2xx'],
      ['pbx', 'in', '2xx'],
      ['pbx', 'out', '2xx'],
      ['pbx', 'out', '4xx'],
    ] as const) {
      const value = sum(after, 'sip_responses_total', { peer, direction, class: of })
      t.ok(value > 0, `${of} ${direction} ${peer}: ${value}`)
    }
    t.ok(sum(after, 'sip_response_seconds_count', { peer: 'whatsapp' }) >= 2)
    t.ok(sum(after, 'sip_response_seconds_count', { peer: 'pbx' }) >= 2)
    const messages =
      sum(after, 'sip_requests_total', { direction: 'in' }) +
      sum(after, 'sip_responses_total', { direction: 'in' })
    t.equal(messages, sum(after, 'sip_messages_received_total'), 'each message has its peer')

    t.ok(sum(after, 'graph_requests_total', { operation: 'settings_read', outcome: 'ok' }) > 0)
    t.equal(sum(after, 'number_failing', { number: 'support' }), 0)
    t.ok(sum(after, 'number_checked_timestamp_seconds', { number: 'support' }) > 1.7e9)
    t.equal(sum(after, 'ready'), 1)
    t.equal(sum(after, 'configured', { kind: 'numbers' }), 1)
    for (const thread of ['main', 'sip']) {
      t.ok(sum(after, 'thread_busy_seconds_total', { thread }) > 0, `${thread} has worked`)
    }

    const values = after.flatMap(({ name, samples }) =>
      samples.flatMap(({ labels }) => Object.entries(labels).map(([key, of]) => [name, key, of])),
    )
    t.ok(values.length > 300, `${values.length} label values`)
    for (const [name, key, value] of values) {
      const where = `${name}{${key}="${value}"}`
      const found = told.filter((secret) => value!.includes(secret))
      if (found.length > 0) t.fail(`${where} tells ${found.join(', ')}`)
      if (key !== 'hash' && /\d{7,}|@/.test(value!)) t.fail(`${where} looks like a number or an id`)
    }
  }),
)

t.test('the format before OpenMetrics, for a client that asks for it', (t) =>
  withLab(t, {}, async (lab) => {
    const accept = { headers: { accept: 'text/plain;version=0.0.4' } }
    const answer = await fetch(`${lab.at.http}/metrics`, accept)
    t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    t.match(text, /^# TYPE causeway_calls_started_total counter$/m)
    t.notMatch(text, '# EOF')
    const newer = await fetch(`${lab.at.http}/metrics`)
    t.match(newer.headers.get('content-type'), /^application\/openmetrics-text; version=1\.0\.0/)
  }),
)
