import t from 'tap'
import { Instance } from '../../src/app/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { freeRange, scene, type World } from './support.ts'

t.setTimeout(120_000)

/** Causeway itself in place of the stand-in for its listener, on ports the system chooses. */
async function run(world: World): Promise<Instance> {
  world.listener?.close()
  const { config } = world
  config.sip.listen = { whatsapp: 'tls://127.0.0.1:0', pbx: ['udp://127.0.0.1:0'] }
  config.media.ports = await freeRange(40)
  const instance = await Instance.start({
    config: world.load().config,
    version: '1.2.3',
    log: silentLogger(),
    load: () => world.load(),
  })
  world.defer(() => instance.stop())
  await instance.settings.settled
  const { http, sip } = instance.addresses
  world.publicPort = sip.whatsapp.port
  world.options.url = `http://${http.host}:${http.port}`
  return instance
}

t.test('a running instance in good health tells what only it knows', async (t) => {
  const results = await scene(t, run, { named: {}, speaks: ['instance'] })
  const evidence = (id: string) => results.find((one) => one.id === id)!.findings[0]!.evidence
  t.match(evidence('instance'), /^causeway 1\.2\.3 at http:\/\/127\.0\.0\.1:\d+$/)
  t.match(evidence('relay'), /^of the running instance: 0 calls, 0 of 40 ports in use$/)
  t.match(evidence('media-ports'), /^the running instance has them/)
  t.match(evidence('listener'), /is this listener$/)
  t.match(evidence('certificate'), /TLS 1\.2 and 1\.3, no client certificate asked for$/)
})

t.test('the running instance drains', async (t) => {
  const plant = async (world: World) => {
    const instance = await run(world)
    instance.operations.drain()
  }
  const results = await scene(t, plant, {
    named: { instance: 'warn DOCTOR_INSTANCE' },
    speaks: ['instance'],
  })
  const { subject, evidence } = results.find(({ id }) => id === 'instance')!.findings[0]!
  t.equal(subject, 'drain process')
  t.match(evidence, /^draining/)
})

t.test('another program at http.listen is no instance', async (t) => {
  const plant = (world: World) => {
    world.options.url = world.simulator.graphUrl
  }
  const results = await scene(t, plant, { named: {} })
  const { evidence } = results.find(({ id }) => id === 'instance')!.findings[0]!
  t.match(evidence, /^none answers at http:/)
})
