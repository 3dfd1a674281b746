import t from 'tap'
import { NumberMetrics } from '../../../src/app/metrics/number-metrics.ts'
import type { NumberSettingsState } from '../../../src/settings/index.ts'
import { pendingState } from '../../../src/settings/state.ts'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { labConfig } from '../../support/bridge-lab.ts'
import { numberConfig } from '../../support/configs.ts'

const config = labConfig({ numbers: [numberConfig(), { ...numberConfig(), name: 'sales' }] })
const drift = [{ path: 'calling.status', actual: 'DISABLED', desired: 'ENABLED' }]

function values(metrics: NumberMetrics, states: Record<string, Partial<NumberSettingsState>>) {
  const state = (name: string) => {
    const change = states[name]
    return change && { ...pendingState(), ...change }
  }
  return Object.fromEntries(
    metrics
      .families(config, state)
      .map(({ name, samples }) => [
        name,
        samples.map(({ labels, value }) => [...Object.values(labels), value].join(' ')),
      ]),
  )
}

t.test('drift, failures and the last comparison, by number', async (t) => {
  const metrics = new NumberMetrics()
  metrics.looked('support', { ...pendingState(), status: 'drift', lastChecked: 2000 })
  metrics.looked('support', { ...pendingState(), status: 'failed', lastChecked: 9000 })
  metrics.looked('sales', { ...pendingState(), status: 'pending' })
  const found = values(metrics, {
    support: { status: 'drift', drift },
    sales: { status: 'failed', error: new CausewayError('SETTINGS_TIMEOUT') },
  })
  t.same(found['number_drift'], ['support 1', 'sales 0'])
  t.same(found['number_failing'], ['support 0', 'sales 1'])
  t.same(found['number_checked_timestamp_seconds'], ['support 2'], 'a failure is no comparison')
})

t.test('a number nobody looked at yet', async (t) => {
  const found = values(new NumberMetrics(), {})
  t.same(found['number_drift'], ['support 0', 'sales 0'])
  t.same(found['number_checked_timestamp_seconds'], [])
  t.same(found['number_settings_writes'], [])
})

t.test('writes that were taken count by cause, and all notes go on', async (t) => {
  const metrics = new NumberMetrics()
  const notes: string[] = []
  const journal = metrics.counting({ record: ({ action }) => void notes.push(action) })
  const note = { number: 'support', who: 'drift check' } as const
  journal.record({ ...note, action: 'plan' })
  journal.record({ ...note, action: 'write' })
  journal.record({ ...note, action: 'write' })
  journal.record({ ...note, action: 'write', error: new Error('refused') })
  journal.record({ ...note, who: 'start', action: 'write' })
  const found = values(metrics, {})
  t.same(found['number_settings_writes'], ['support drift check 2', 'support start 1'])
  t.same(notes, ['plan', 'write', 'write', 'write', 'write'])
})
