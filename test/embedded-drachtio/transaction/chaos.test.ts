import t from 'tap'
import type {
  ClientTransaction,
  ServerTransaction,
} from '../../../src/embedded-drachtio/transaction/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { flowOf, Harness, incoming, ours, requestOf, type Sent, targetOf } from './harness.ts'

const methods = ['INVITE', 'INVITE', 'OPTIONS', 'BYE', 'INFO']
const statuses = [100, 180, 183, 200, 202, 301, 404, 486, 487, 503]
const transports = ['udp', 'tcp', 'tls'] as const

for (const seed of [1, 2, 3, 4]) {
  t.test(`thousands of events in random order leave nothing behind, seed ${seed}`, async (t) => {
    const h = new Harness({ limits: { unansweredInvite: 90_000, progress: 100_000 } })
    const random = new FakeRandom(seed)
    const pick = <T>(from: readonly T[]): T => from[random.int(0, from.length)]!
    const servers: ServerTransaction[] = []
    const clients: ClientTransaction[] = []
    const outcomes = new Map<ClientTransaction, number>()
    const ended = new Set<unknown>()
    h.answer = (transaction) => void servers.push(transaction)

    const receive = (): void => {
      const n = random.int(0, 300)
      const parts = {
        branch: random.int(0, 10) === 0 ? '' : `z9hG4bK${n}`,
        callId: `c${random.int(0, 8) === 0 ? n % 7 : n}`,
        ...(random.int(0, 3) === 0 ? { to: '<sip:a@192.0.2.1>;tag=ours' } : {}),
      }
      const method = pick([...methods, 'ACK', 'ACK', 'CANCEL'])
      h.receive(incoming(method, parts), flowOf(pick(transports), random.int(1, 20)))
    }
    const answer = (): void => {
      const transaction = servers[random.int(0, servers.length)]
      if (!transaction) return
      const status = pick(statuses)
      if (status === 183) transaction.respondReliably(ours(transaction, status), () => {})
      else transaction.respond(ours(transaction, status))
      if (random.int(0, 4) === 0) transaction.pracked()
    }
    const send = (): void => {
      const targets = [targetOf(pick(transports), 9), targetOf(pick(transports), 10)]
      const transaction = h.layer.send(requestOf(pick(methods)), targets.slice(random.int(0, 3)), {
        response(response, _flow, of) {
          if (response.status < 200) {
            if (outcomes.get(of)) t.fail('a provisional after the end')
          } else if (response.status >= 300 || of.request.method !== 'INVITE') {
            outcomes.set(of, (outcomes.get(of) ?? 0) + 1)
          } else if (!outcomes.has(of)) outcomes.set(of, 1)
        },
        failure: (_status, _reason, of) => void outcomes.set(of, (outcomes.get(of) ?? 0) + 1),
        ended(of) {
          if (ended.has(of)) t.fail('ended twice')
          ended.add(of)
        },
      })
      clients.push(transaction)
    }
    const reply = (): void => {
      const to: Sent | undefined = h.sent[random.int(0, h.sent.length)]
      if (to?.message.kind !== 'request' || to.message.method === 'ACK') return
      h.reply(pick(statuses), to.message.method, { to, tag: pick(['a', 'b']) })
    }
    const events = [receive, receive, answer, answer, send, reply, reply, reply]
    for (let i = 0; i < 6000; i++) {
      pick(events)()
      const dice = random.int(0, 60)
      if (dice < 3) clients[random.int(0, clients.length)]?.cancel()
      else if (dice === 3) h.layer.onClosed(flowOf('tcp', random.int(9, 11)))
      else if (dice === 4) h.transport.refusing.add(pick(['192.0.2.9', '192.0.2.10']))
      else if (dice === 5) h.transport.refusing.clear()
      h.clock.advance(random.int(0, 120))
    }
    t.ok(h.requests.length > 500, `${h.requests.length} server transactions`)
    t.ok(clients.length > 500, `${clients.length} client transactions`)
    // The longest a call can go on: timer C or no answer, then CANCEL or the wait for ACK.
    h.clock.advance(300_000)
    t.same(h.layer.sizes(), { server: 0, client: 0, timers: 0 })
    t.equal(h.clock.pending, 0)
    t.ok(
      clients.every((client) => outcomes.get(client) === 1),
      'each request has one outcome',
    )
    t.equal(ended.size, clients.length)
    t.equal(new Set(h.ended).size, h.requests.length)
    t.equal(h.ended.length, h.requests.length, 'each server transaction ends once')
  })
}
