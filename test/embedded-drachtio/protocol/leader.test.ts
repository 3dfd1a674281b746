import t from 'tap'
import { createIds } from '../../../src/embedded-drachtio/protocol/ids.ts'
import {
  replyLeader,
  requestSentLeader,
  responseSentLeader,
  sipLeader,
  timeOfDay,
} from '../../../src/embedded-drachtio/protocol/leader.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const meta = {
  source: 'network' as const,
  size: 512,
  transport: 'udp',
  address: '192.0.2.1',
  port: 5060,
  time: Date.UTC(2024, 0, 1, 23, 4, 5, 67),
}

t.test('leaders token by token', async (t) => {
  const shown = 'network|512|udp|192.0.2.1|5060|23:04:05.067000'
  t.equal(sipLeader('m', meta, 't', ''), `m|sip|${shown}|t||`)
  t.equal(sipLeader('m', meta, 't', 'd'), `m|sip|${shown}|t|d|`)
  t.equal(
    sipLeader('m', meta, 't', '', { address: '192.0.2.9', port: 5070 }),
    `m|sip|${shown}|t||192.0.2.9|5070|`,
  )
  const request = requestSentLeader('m', 'r', meta, 't')
  t.equal(request, `m|response|r|OK|${shown}|t|Msg sent:|`)
  t.equal(request.split('|')[10], 't')
  const response = responseSentLeader('m', 'r', meta, 't', 'd')
  t.equal(response, `m|response|r|OK|${shown}|t|d||Msg sent:|`)
  t.same(response.split('|').slice(10, 12), ['t', 'd'])
  t.equal(replyLeader('m', 'r', 'OK', 'pong'), 'm|response|r|OK|pong')
})

t.test('time of day in UTC, with microseconds', async (t) => {
  t.equal(timeOfDay(0), '00:00:00.000000')
  t.equal(timeOfDay(999.25), '00:00:00.999250')
  t.equal(timeOfDay(86_399_999), '23:59:59.999000')
  t.equal(timeOfDay(1000), '00:00:01.000000')
})

t.test('identifiers look like UUIDs and differ', async (t) => {
  const ids = createIds(new FakeRandom(1))
  const other = createIds(new FakeRandom(2))
  const made = new Set(Array.from({ length: 1000 }, () => ids()))
  t.equal(made.size, 1000)
  for (const id of [...made].slice(0, 20)) {
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  }
  t.notOk(made.has(other()))
})
