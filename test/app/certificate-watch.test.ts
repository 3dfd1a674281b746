import t from 'tap'
import { CertificateWatch } from '../../src/app/certificate-watch.ts'
import type { ListenerInfo } from '../../src/embedded-drachtio/index.ts'
import { createLogger } from '../../src/shared/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

const DAY = 86_400_000

/** A TLS listener whose certificate ends after some days, and what the log says of it. */
function lab(days: number) {
  const clock = new FakeClock()
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const listener = { transport: 'tls', host: '0.0.0.0', port: 5061, family: 4 } as const
  const until = (end: number) => ({
    notBefore: clock.now() - DAY,
    notAfter: clock.now() + end * DAY,
  })
  const listeners = [
    { ...listener, certificate: until(days) },
    { ...listener, transport: 'udp', certificate: undefined },
  ] as unknown as ListenerInfo[]
  const watch = new CertificateWatch({ listeners: () => listeners, clock, log })
  const renew = (end: number): void => {
    Object.assign(listeners[0]!, { certificate: until(end) })
  }
  return { clock, lines, watch, renew }
}

t.test('a good certificate is not worth a line', async (t) => {
  const { clock, lines, watch } = lab(60)
  watch.start()
  clock.advance(2 * DAY)
  t.same(lines, [])
  watch.stop()
  t.equal(clock.pending, 0)
})

t.test('an expired one is an error at the start, and daily', async (t) => {
  const { clock, lines, watch, renew } = lab(-3)
  watch.start()
  const facts = { level: 50, listener: 'tls://0.0.0.0:5061', msg: 'certificate not valid' }
  t.match(lines, [{ ...facts, detail: /^expired on .*renew the file/ }])
  clock.advance(DAY - 1)
  t.equal(lines.length, 1)
  clock.advance(1)
  t.equal(lines.length, 2)
  renew(60)
  clock.advance(3 * DAY)
  t.equal(lines.length, 2, 'until it is renewed')
})

t.test('one that ends warns first', async (t) => {
  const { clock, lines, watch } = lab(15)
  watch.start()
  t.same(lines, [])
  clock.advance(15 * DAY)
  const said = lines.map(({ level, msg }) => `${level} ${msg}`)
  t.equal(said[0], '40 certificate ends soon')
  t.equal(said.at(-1), '50 certificate not valid')
  t.ok(said.length >= 14 && said.length <= 16)
})
