import t from 'tap'
import type { NumberConfig, RouteConfig, RouteMatch } from '../../src/config/types.ts'
import {
  type ArrivingCall,
  chainOf,
  chooseRoute,
  explainRoutes,
  stepAt,
  wayOf,
} from '../../src/routing/index.ts'
import { numberConfig, overflowTo } from '../support/configs.ts'

const base = numberConfig().inbound!

function route(name: string, match: Partial<RouteMatch>, more: Partial<RouteConfig> = {}) {
  return {
    name,
    match: { params: {}, country: [], payload: [], hours: undefined, ...match },
    refuse: undefined,
    inbound: { ...base, trunk: name },
    ...more,
  }
}

function number(...routes: RouteConfig[]): NumberConfig {
  return numberConfig({
    inbound: { ...base, routes },
    calling: {
      call_hours: {
        // Off: WhatsApp does not keep them, the routes do.
        status: 'DISABLED',
        timezone_id: 'Europe/Paris',
        weekly_operating_hours: [
          { day_of_week: 'WEDNESDAY', open_time: '0900', close_time: '1700' },
          { day_of_week: 'THURSDAY', open_time: '0900', close_time: '1700' },
        ],
        holiday_schedule: [{ date: '2026-12-24', start_time: '0900', end_time: '1200' }],
      },
    },
  })
}

const WEDNESDAY_NOON = Date.parse('2026-06-10T10:00:00Z')

function call(change: Partial<ArrivingCall> & { tgrp?: string } = {}): ArrivingCall {
  const { tgrp, ...rest } = change
  return {
    params: new Map(tgrp === undefined ? [] : [['tgrp', tgrp]]),
    consumer: '+33199001234',
    payloads: [],
    at: WEDNESDAY_NOON,
    ...rest,
  }
}

t.test('which match a call fulfils', async (t) => {
  const rows: [match: Partial<RouteMatch>, call: ArrivingCall, matches: boolean][] = [
    [{}, call(), true],
    [{ params: { tgrp: 'sales' } }, call({ tgrp: 'sales' }), true],
    [{ params: { TGRP: 'Sales' } }, call({ tgrp: 'SALES' }), true],
    [{ params: { tgrp: 'sales' } }, call({ tgrp: 'sales-2' }), false],
    [{ params: { tgrp: 'sales*' } }, call({ tgrp: 'sales-2' }), true],
    [{ params: { tgrp: '*' } }, call(), false],
    [{ params: { tgrp: 'sales', other: 'x' } }, call({ tgrp: 'sales' }), false],
    [{ country: ['FR', 'DE'] }, call(), true],
    [{ country: ['DE'] }, call(), false],
    [{ country: ['DE'] }, call({ country: 'DE' }), true],
    [{ country: ['BE'] }, call({ consumer: 'BE.123' }), true],
    [{ country: ['FR'] }, call({ consumer: 'someone' }), false],
    [{ payload: ['order-*'] }, call({ payloads: ['order-7'] }), true],
    [{ payload: ['order-*'] }, call({ payloads: ['Order-7'] }), false],
    [{ payload: ['order-*'] }, call(), false],
    [{ payload: ['*'] }, call(), false],
    [{ payload: ['a', 'menu'] }, call({ payloads: ['x', 'menu'] }), true],
    [{ hours: 'open' }, call(), true],
    [{ hours: 'closed' }, call(), false],
    [{ hours: 'closed' }, call({ at: Date.parse('2026-06-10T15:00:00Z') }), true],
    [{ hours: 'open' }, call({ at: Date.parse('2026-06-10T14:59:00Z') }), true],
    // A Thursday, but a holiday with hours of its own.
    [{ hours: 'open' }, call({ at: Date.parse('2026-12-24T10:59:00Z') }), true],
    [{ hours: 'closed' }, call({ at: Date.parse('2026-12-24T11:00:00Z') }), true],
    [{ country: ['FR'], hours: 'open', payload: ['x'] }, call({ payloads: ['x'] }), true],
    [{ country: ['FR'], hours: 'closed', payload: ['x'] }, call({ payloads: ['x'] }), false],
  ]
  for (const [match, arriving, expected] of rows) {
    const chosen = chooseRoute(number(route('r', match)), arriving)
    t.equal(chosen?.name === 'r', expected, JSON.stringify(match))
    const [first] = explainRoutes(number(route('r', match)), arriving)
    t.equal(first?.verdict === 'taken', expected, 'the explanation says the same')
  }
})

t.test('the first route that matches wins; without one inbound itself', async (t) => {
  const lines = number(
    route('sales', { params: { tgrp: 'sales' } }),
    route('france', { country: ['FR'] }, { refuse: 486 }),
    route('rest', {}),
  )
  t.equal(chooseRoute(lines, call({ tgrp: 'sales' }))?.name, 'sales')
  t.match(chooseRoute(lines, call()), { name: 'france', refuse: 486 })
  t.equal(chooseRoute(lines, call({ country: 'DE' }))?.name, 'rest')
  t.match(chooseRoute(number(), call()), { name: 'inbound', inbound: { trunk: 'main' } })
  t.equal(chooseRoute(numberConfig({ inbound: undefined }), call()), undefined)
})

t.test('a number without hours is always open', async (t) => {
  const open = numberConfig({ inbound: { ...base, routes: [route('r', { hours: 'closed' })] } })
  t.equal(chooseRoute(open, call())?.name, 'inbound')
  t.match(explainRoutes(open, call())[0]?.conditions, [{ found: 'open: the number has no hours' }])
})

t.test('an explanation names what was wanted and what was there', async (t) => {
  const lines = number(
    route('a', { params: { tgrp: 'sales' }, country: ['DE', 'AT'], payload: ['x'] }),
    route('b', { hours: 'open' }),
    route('c', {}),
  )
  t.same(explainRoutes(lines, call({ tgrp: 'info', payloads: ['y'] })), [
    {
      name: 'a',
      refuse: undefined,
      verdict: 'no match',
      conditions: [
        { key: 'params', wanted: 'tgrp=sales', found: 'tgrp=info', holds: false },
        { key: 'country', wanted: 'DE, AT', found: 'FR by the calling code', holds: false },
        { key: 'payload', wanted: 'x', found: 'y', holds: false },
      ],
    },
    {
      name: 'b',
      refuse: undefined,
      verdict: 'taken',
      conditions: [{ key: 'hours', wanted: 'open', found: 'open in Europe/Paris', holds: true }],
    },
    { name: 'c', refuse: undefined, verdict: 'passed', conditions: [] },
    { name: 'inbound', refuse: undefined, verdict: 'passed', conditions: [] },
  ])
  t.same(explainRoutes(numberConfig({ inbound: undefined }), call()), [])
})

t.test('the trunks of a way, and what holds at each', async (t) => {
  const way = { ...base, overflow: [...overflowTo('backup', 20_000), ...overflowTo('night')] }
  t.same(
    chainOf(way).map(({ trunk, ringTimeout }) => [trunk, ringTimeout]),
    [
      ['main', 45_000],
      ['backup', 20_000],
      ['night', 45_000],
    ],
  )
  t.equal(stepAt(way, 'backup').ringTimeout, 20_000)
  t.equal(stepAt(way, 'elsewhere').trunk, 'main')
  const lines = number(route('sales', {}))
  t.equal(wayOf(lines, 'sales').trunk, 'sales')
  t.equal(wayOf(lines, 'inbound').trunk, 'main')
  t.equal(wayOf(lines, undefined).trunk, 'main')
  t.match(wayOf(numberConfig({ inbound: undefined }), 'pai'), {
    to: '{business}',
    from: '{caller}',
  })
})
