import t from 'tap'
import { bridgeLab, settle } from '../../support/bridge-lab.ts'
import { numberConfig } from '../../support/configs.ts'
import { backup, call, overflowing, tried, two } from './lab.ts'

t.test('a full trunk hands the call on, both directions count', async (t) => {
  const trunks = [two({ limits: { calls: 1, status: 503 } }), backup()]
  const lab = await bridgeLab({ trunks, numbers: [overflowing()] })
  const first = await call(lab)
  const second = await call(lab)
  t.same(tried(lab), ['10.0.0.9', '10.1.0.9'])
  t.match(
    lab.lines.filter(({ msg }) => msg === 'trunk is full'),
    [{ level: 40, trunk: 'main', detail: 'trunk main has 1 call', fix: /limits/ }],
  )
  const refused = lab.fromPbx()
  await settle()
  t.match(refused.last, {
    status: 503,
    headers: { 'Retry-After': '10', Warning: /CALL_TRUNK_LIMIT: trunk main has 1 call/ },
  })
  t.match(lab.bridge.status().trunks, [{ name: 'main', calls: 1, limit: 1 }, { calls: 1 }])
  for (const invite of [first, second]) invite.cancel()
  await settle()
  lab.fromPbx()
  await settle()
  t.match(lab.bridge.status().trunks, [{ calls: 1 }])
  await call(lab)
  t.equal(tried(lab).at(-1), '10.1.0.9', 'a call from the PBX fills it, too')
})

for (const status of [503, 486] as const) {
  t.test(`a full trunk without overflow answers ${status}`, async (t) => {
    const lab = await bridgeLab({ trunks: [two({ limits: { calls: 1, status } })] })
    await call(lab)
    const invite = await call(lab)
    t.equal(invite.last?.status, status)
    t.equal(invite.last?.headers?.['Retry-After'], status === 503 ? '10' : undefined)
    t.equal(lab.calls.size, 1)
    t.equal(lab.calls.ended()[0]?.cause?.code, 'CALL_TRUNK_LIMIT')
    const outgoing = lab.fromPbx()
    await settle()
    t.equal(outgoing.last?.status, status)
  })

  t.test(`a full number answers ${status}`, async (t) => {
    const number = numberConfig({ limits: { calls: 1, status } })
    const lab = await bridgeLab({ numbers: [number] })
    await call(lab)
    const invite = await call(lab)
    t.equal(invite.last?.status, status)
    const outgoing = lab.fromPbx()
    await settle()
    t.equal(outgoing.last?.status, status)
    t.match(lab.bridge.status().refusals, [
      { side: 'whatsapp', code: 'CALL_NUMBER_FULL' },
      { side: 'pbx', code: 'CALL_NUMBER_FULL' },
    ])
  })
}
