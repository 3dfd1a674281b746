import { createSocket } from 'node:dgram'
import t from 'tap'
import { pass, problem } from '../../src/doctor/finding.ts'
import { type Check, type DoctorContext, type Finding, runChecks } from '../../src/doctor/index.ts'
import { reflect } from '../../src/doctor/probe/stun.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { FakeClock } from '../support/fake-clock.ts'

const clock = new FakeClock()

function context(signal = new AbortController().signal): DoctorContext {
  return { clock, signal } as Partial<DoctorContext> as DoctorContext
}

function check(id: string, run: Check['run'], needs: string[] = []): Check {
  return { id, area: 'PBX', title: id, needs, run }
}

const good = async (): Promise<Finding[]> => [pass('good')]
const bad = async (): Promise<Finding[]> => [
  pass('one is good'),
  problem('fail', 'DOCTOR_PBX_SILENT', { evidence: 'silence' }),
]

t.test('results come in the order of the checks, with the worst of their findings', async (t) => {
  const told: string[] = []
  const results = await runChecks([check('b', good), check('a', bad)], context(), {
    finished: ({ id }) => told.push(id),
  })
  t.same(
    results.map(({ id, verdict }) => `${id} ${verdict}`),
    ['b pass', 'a fail'],
  )
  t.same(told.sort(), ['a', 'b'])
})

t.test('a check that throws is a finding of its own, and the others go on', async (t) => {
  const crash = async (): Promise<Finding[]> => {
    throw new TypeError('x is not a function')
  }
  const [crashed, other] = await runChecks([check('a', crash), check('b', good)], context())
  t.match(crashed, {
    verdict: 'fail',
    findings: [
      { code: 'DOCTOR_CHECK_CRASHED', owner: 'causeway', evidence: /x is not a function/ },
    ],
  })
  t.equal(other?.verdict, 'pass')
})

t.test('a check that takes too long is given up, and told to stop', async (t) => {
  let stopped = false
  const hang: Check['run'] = ({ signal }) =>
    new Promise(() => {
      signal.addEventListener('abort', () => {
        stopped = true
      })
    })
  const running = runChecks([check('a', hang), check('b', good)], context(), { limit: 5000 })
  await new Promise(setImmediate)
  clock.advance(5000)
  const [late, other] = await running
  t.match(late, {
    verdict: 'warn',
    findings: [{ code: 'DOCTOR_CHECK_TIMEOUT', evidence: 'no result after 5 s' }],
  })
  t.equal(other?.verdict, 'pass')
  t.ok(stopped)
  t.equal(clock.pending, 0)
})

t.test('a check whose need has failed is skipped; one whose need was left out runs', async (t) => {
  const results = await runChecks(
    [check('late', good, ['need']), check('need', bad), check('free', good, ['left out'])],
    context(),
  )
  t.match(results[0], { verdict: 'skipped', findings: [{ evidence: 'the check need failed' }] })
  t.equal(results[2]?.verdict, 'pass')
})

t.test('an interrupted run ends at once', async (t) => {
  const stop = new AbortController()
  const hang: Check['run'] = () => new Promise(() => {})
  const running = runChecks([check('a', hang)], context(stop.signal))
  await new Promise(setImmediate)
  stop.abort()
  const [result] = await running
  t.match(result, { verdict: 'skipped', findings: [{ evidence: 'interrupted' }] })
})

t.test('a reflector that is silent is given up', async (t) => {
  const silent = createSocket('udp4')
  let asked = 0
  const received = new Promise<void>((resolve) => {
    silent.on('message', () => {
      asked++
      resolve()
    })
  })
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const time = new FakeClock()
  const { signal } = new AbortController()
  const place = { host: '127.0.0.1', port: silent.address().port, listen: '127.0.0.1' }
  const result = reflect({ ...place, clock: time, random: systemRandom, signal })
  await received
  time.advance(4000)
  t.equal(await result, undefined)
  t.ok(asked >= 1)
  t.equal(time.pending, 0)
})

t.test('an address that is not ours cannot be reflected', async (t) => {
  const { signal } = new AbortController()
  const place = { host: '127.0.0.1', port: 9, listen: '192.0.2.1' }
  await t.rejects(reflect({ ...place, clock, random: systemRandom, signal }), {
    code: 'EADDRNOTAVAIL',
  })
})
