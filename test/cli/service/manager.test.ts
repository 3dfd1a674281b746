import t from 'tap'
import { ServiceManager, type ServiceParts } from '../../../src/cli/service/manager.ts'
import { createLogger } from '../../../src/shared/log.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const settle = () => new Promise((resolve) => setImmediate(resolve))

function lab(env: Record<string, string>, change: Partial<ServiceParts> = {}) {
  const clock = new FakeClock()
  const sent: string[][] = []
  const opened: string[] = []
  const logged: string[] = []
  const state = { status: '2 calls in progress', reasons: [] as string[], stuck: '' }
  const service = new ServiceManager({
    env: { NOTIFY_SOCKET: '/run/notify', ...env },
    pid: 42,
    status: () => state.status,
    reasons: () => state.reasons,
    stuck: async () => state.stuck || undefined,
    clock,
    log: createLogger({
      level: 'info',
      numbers: 'full',
      destination: { write: (line) => void logged.push(JSON.parse(line).msg) },
    }),
    open: async (address) => {
      opened.push(address)
      return { send: async (lines) => void sent.push([...lines]) }
    },
    ...change,
  })
  /** What was sent since the last look, as one list. */
  const take = async (): Promise<string[]> => {
    await settle()
    return sent.splice(0).flat()
  }
  return { service, clock, state, sent, opened, logged, take }
}

t.test('not started by systemd: nothing is said', async (t) => {
  const { service, opened, clock, take } = lab({ NOTIFY_SOCKET: '' })
  await service.start()
  service.reloading()
  service.reloaded(undefined)
  service.stopping()
  t.same(opened, [])
  t.same(await take(), [])
  t.equal(clock.pending, 0)
  await service.close()
})

t.test('ready when calls can be taken, then a line of status at intervals', async (t) => {
  const { service, clock, state, opened, take } = lab({})
  state.reasons = ['relay rtpengine: not available']
  await service.start()
  t.same(opened, ['/run/notify'])
  t.same(await take(), ['STATUS=waiting: relay rtpengine: not available'])
  clock.advance(250)
  t.same(await take(), ['STATUS=waiting: relay rtpengine: not available'])
  state.reasons = []
  clock.advance(250)
  t.same(await take(), ['READY=1', 'STATUS=2 calls in progress'])
  state.reasons = ['draining']
  state.status = 'draining: 1 call in progress'
  clock.advance(9999)
  t.same(await take(), [])
  clock.advance(1)
  t.same(await take(), ['STATUS=draining: 1 call in progress'], 'ready once')
  await service.close()
  t.equal(clock.pending, 0)
})

t.test('the watchdog is fed at half of its time, while all works', async (t) => {
  const { service, clock, state, take, logged } = lab({ WATCHDOG_USEC: '6000000' })
  await service.start()
  t.same(await take(), ['READY=1', 'WATCHDOG=1', 'STATUS=2 calls in progress'])
  clock.advance(3000)
  t.same(await take(), ['WATCHDOG=1', 'STATUS=2 calls in progress'])
  state.stuck = 'the SIP server does not answer'
  clock.advance(3000)
  t.same(await take(), ['STATUS=the SIP server does not answer'])
  clock.advance(3000)
  t.same(await take(), ['STATUS=the SIP server does not answer'])
  t.same(logged, ['the watchdog is not fed'], 'said once')
  state.stuck = ''
  clock.advance(3000)
  t.same(await take(), ['WATCHDOG=1', 'STATUS=2 calls in progress'])
  await service.close()
})

const watchdogs: [string, Record<string, string>, boolean][] = [
  ['for this process', { WATCHDOG_USEC: '6000000', WATCHDOG_PID: '42' }, true],
  ['for another process', { WATCHDOG_USEC: '6000000', WATCHDOG_PID: '43' }, false],
  ['without a time', { WATCHDOG_USEC: '0' }, false],
  ['nonsense', { WATCHDOG_USEC: '6 s' }, false],
]
for (const [what, env, fed] of watchdogs) {
  t.test(`a watchdog ${what}`, async (t) => {
    const { service, take } = lab(env)
    await service.start()
    t.equal((await take()).includes('WATCHDOG=1'), fed)
    await service.close()
  })
}

t.test('a reload: what went wrong stays in the status', async (t) => {
  const { service, clock, state, take } = lab({})
  await service.start()
  await take()
  service.reloading()
  const [reloading, at, status] = await take()
  t.equal(reloading, 'RELOADING=1')
  t.match(at, /^MONOTONIC_USEC=\d+$/)
  t.equal(status, 'STATUS=reading the configuration')
  service.reloaded('reload refused: CONFIG_UNKNOWN_KEY\nat line 3')
  const refused = 'STATUS=reload refused: CONFIG_UNKNOWN_KEY at line 3'
  t.same(await take(), ['READY=1', refused], 'in one line')
  clock.advance(10_000)
  t.same(await take(), [refused])
  service.reloading()
  await take()
  service.reloaded(undefined)
  t.same(await take(), ['READY=1', 'STATUS=2 calls in progress'])
  state.status = 'draining: 2 calls in progress'
  service.stopping()
  t.same(await take(), ['STOPPING=1', 'STATUS=draining: 2 calls in progress'])
  await service.close()
  service.stopping()
  t.same(await take(), [], 'nothing after the end')
})

t.test('a reload before calls can be taken does not make it ready', async (t) => {
  const { service, state, take } = lab({})
  state.reasons = ['sip-server embedded: not connected']
  await service.start()
  await take()
  service.reloading()
  service.reloaded(undefined)
  t.notOk((await take()).includes('READY=1'))
  await service.close()
})

t.test('a manager that cannot be told is warned of once, and stops nothing', async (t) => {
  const failing = lab({}, { open: async () => ({ send: () => Promise.reject(new Error('gone')) }) })
  await failing.service.start()
  failing.clock.advance(10_000)
  failing.service.stopping()
  await settle()
  t.same(failing.logged, ['the service manager cannot be told anything'])
  await failing.service.close()
  const closed = lab({}, { open: () => Promise.reject(new Error('no socket')) })
  await closed.service.start()
  t.same(closed.logged, ['the service manager cannot be told anything'])
  await closed.service.close()
})
