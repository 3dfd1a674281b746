import t from 'tap'
import { NUMBER_SOURCES } from '../../src/config/route-types.ts'
import type { OutboundConfig } from '../../src/config/types.ts'
import { chooseNumber, type LeavingCall } from '../../src/routing/index.ts'

const KNOWN: Record<string, string> = { '+441': 'support', '+442': 'sales', '+443': 'billing' }

function outbound(change: Partial<OutboundConfig> = {}): OutboundConfig {
  return { number: undefined, to: '{dialed}', by: NUMBER_SOURCES, prefixes: [], ...change }
}

function call(
  dialled: string,
  parties: Partial<Record<keyof LeavingCall['parties'], string[]>> = {},
): LeavingCall {
  return { dialled, parties: { pai: [], from: [], diversion: [], 'history-info': [], ...parties } }
}

const choose = (config: OutboundConfig, leaving: LeavingCall) =>
  chooseNumber(config, leaving, (user) => KNOWN[user])

const prefix = (digits: string, number: string, strip = true) => ({ prefix: digits, number, strip })
const PREFIXES = [prefix('9', 'support'), prefix('91', 'sales'), prefix('92', 'billing', false)]

t.test('what names the number, by default and as configured', async (t) => {
  const all = { pai: ['+441'], from: ['+442'], diversion: ['+443'] }
  const rows: [OutboundConfig, LeavingCall, number: string | undefined, route: string][] = [
    [outbound(), call('x', all), 'support', 'pai'],
    [outbound(), call('x', { ...all, pai: ['200'] }), 'sales', 'from'],
    [outbound(), call('x', { from: ['200'], diversion: ['200', '+443'] }), 'billing', 'diversion'],
    [outbound(), call('x', { 'history-info': ['+442', '+441'] }), 'sales', 'history-info'],
    [outbound({ number: 'billing' }), call('x', { from: ['200'] }), 'billing', 'trunk'],
    [outbound({ number: 'billing' }), call('x', all), 'support', 'pai'],
    [outbound(), call('x', { from: ['200'] }), undefined, 'trunk'],
    [outbound({ by: ['diversion', 'from'] }), call('x', all), 'billing', 'diversion'],
    [outbound({ by: [], number: 'sales' }), call('x', all), 'sales', 'trunk'],
    [outbound({ prefixes: PREFIXES }), call('9133', all), 'sales', 'prefix 91'],
    [outbound({ prefixes: PREFIXES }), call('9033', all), 'support', 'prefix 9'],
    [outbound({ prefixes: PREFIXES }), call('0033', all), 'support', 'pai'],
    [outbound({ prefixes: PREFIXES, by: ['from', 'prefix'] }), call('9133', all), 'sales', 'from'],
    [outbound({ prefixes: PREFIXES, by: ['from'] }), call('9133', all), 'sales', 'from'],
  ]
  for (const [config, leaving, number, route] of rows) {
    const choice = choose(config, leaving)
    t.equal(choice.number, number)
    t.equal(choice.route, route)
  }
})

t.test('the longest prefix is taken off, whatever named the number', async (t) => {
  const rows: [dialled: string, left: string, by?: OutboundConfig['by']][] = [
    ['910033', '0033'],
    ['90033', '0033'],
    ['9233', '9233'],
    ['+9133', '+9133'],
    ['0033', '0033'],
    ['91', ''],
    ['910033', '0033', ['from', 'prefix']],
    ['910033', '910033', ['from']],
  ]
  for (const [dialled, left, by = NUMBER_SOURCES] of rows) {
    const config = outbound({ prefixes: PREFIXES, by })
    t.equal(choose(config, call(dialled, { from: ['+441'] })).dialled, left, dialled)
  }
})

t.test('every source is told of, also those that were not needed', async (t) => {
  const config = outbound({ prefixes: PREFIXES, number: 'billing', by: ['prefix', 'pai', 'from'] })
  t.same(choose(config, call('0033', { pai: ['200', '201'], from: ['+442'] })).findings, [
    { source: 'prefix', said: '', number: undefined, verdict: 'no match' },
    { source: 'pai', said: '200, 201', number: undefined, verdict: 'no match' },
    { source: 'from', said: '+442', number: 'sales', verdict: 'taken' },
    { source: 'trunk', said: 'billing', number: 'billing', verdict: 'passed' },
  ])
})
