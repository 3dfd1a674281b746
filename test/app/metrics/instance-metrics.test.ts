import t from 'tap'
import { configHash } from '../../../src/app/config-hash.ts'
import { configFamilies, threadFamilies } from '../../../src/app/metrics/instance-metrics.ts'
import type { HealthCheck } from '../../../src/http/index.ts'
import type { AnchorStatus } from '../../../src/media/index.ts'
import { configOf, edit } from '../../support/config-file.ts'

const config = configOf(edit())
const check = (ready: boolean): HealthCheck => ({
  ...{ component: 'relay', id: 'embedded', output: '', ready },
  status: ready ? 'pass' : 'fail',
})

t.test('ready as /readyz has it, and the configuration in use', async (t) => {
  for (const [checks, ready] of [
    [[], 1],
    [[check(true), check(true)], 1],
    [[check(true), check(false)], 0],
  ] as const) {
    t.match(configFamilies(config, checks), [
      { name: 'ready', samples: [{ value: ready }] },
      { name: 'config_info', samples: [{ labels: { hash: configHash(config) }, value: 1 }] },
      {
        name: 'configured',
        samples: [
          { labels: { kind: 'numbers' }, value: 1 },
          { labels: { kind: 'trunks' }, value: 1 },
        ],
      },
    ])
  }
})

t.test(
  'threads: the main one, that of the SIP server, and workers that measure themselves',
  async (t) => {
    const load = (busySeconds: number) => ({ busySeconds, delay: { p50: 0.1, p99: 0.2, max: 0.3 } })
    const media = {
      instances: [
        { name: 'worker-1', busySeconds: 7 },
        { name: '127.0.0.1:22222', busySeconds: undefined },
      ],
    } as unknown as AnchorStatus
    const [busy, delays] = threadFamilies(load(5), load(6), media)
    t.same(
      busy!.samples.map(({ labels, value }) => `${labels['thread']} ${value}`),
      ['main 5', 'sip 6', 'worker-1 7'],
    )
    t.equal(delays!.samples.length, 6)
    const [alone] = threadFamilies(load(5), undefined, { ...media, instances: [] })
    t.equal(alone!.samples.length, 1, 'a drachtio-server elsewhere has metrics of its own')
  },
)
