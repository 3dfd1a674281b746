import t from 'tap'
import { parse } from 'yaml'
import { formatConfig } from '../../src/config/index.ts'
import { brief, configOf, edit, issuesOf } from '../support/config-file.ts'

const TRUNKS = `    outbound: { number: support }
  - { name: backup, targets: ["sip:10.0.0.10"], media: { srtp: sdes } }
  - { name: night, targets: ["sip:10.0.0.11"], media: { srtp: sdes } }
`

/** A file whose number has these lines in `inbound`, and trunks main, backup and night. */
function inbound(...lines: string[]): string {
  return edit(
    ['trunk: main', ['trunk: main', ...lines].join('\n      ')],
    ['    outbound: { number: support }\n', TRUNKS],
  )
}

const routes = (...entries: string[]) => inbound('routes:', ...entries.map((one) => `  - ${one}`))
const ROUTE = 'numbers[0].inbound.routes'

/** What is changed, and the errors or warnings that follow. */
const errors: [name: string, text: string, is: string, nearest?: string][] = [
  [
    'a route to a trunk that does not exist',
    routes('{ trunk: nihgt }'),
    `CONFIG_UNKNOWN_TRUNK 20:20 ${ROUTE}[0].trunk`,
    'night',
  ],
  [
    'a chain to a trunk that does not exist',
    inbound('overflow: [backup, backpu]'),
    'CONFIG_UNKNOWN_TRUNK 19:26 numbers[0].inbound.overflow[1]',
    'backup',
  ],
  [
    'a step of a chain to a trunk that does not exist',
    inbound('overflow: [{ trunk: nigth, ring_timeout: 10s }]'),
    'CONFIG_UNKNOWN_TRUNK 19:27 numbers[0].inbound.overflow[0].trunk',
    'night',
  ],
  [
    'a chain that comes round again',
    inbound('overflow: [backup, night, main]'),
    'CONFIG_OVERFLOW_SAME 19:33 numbers[0].inbound.overflow[2]',
  ],
  [
    'a chain that tries a trunk twice',
    inbound('overflow: [backup, { trunk: backup }]'),
    'CONFIG_OVERFLOW_SAME 19:35 numbers[0].inbound.overflow[1].trunk',
  ],
  [
    'a route that overflows to the trunk of inbound',
    routes('{ overflow: main }'),
    `CONFIG_OVERFLOW_SAME 20:23 ${ROUTE}[0].overflow`,
  ],
  [
    'a chain of neither names nor steps',
    inbound('overflow: 7'),
    'CONFIG_WRONG_TYPE 19:17 numbers[0].inbound.overflow',
  ],
  [
    'a misspelt key of a step',
    inbound('overflow: [{ trunk: backup, ring: 5s }]'),
    'CONFIG_UNKNOWN_KEY 19:35 numbers[0].inbound.overflow[0].ring',
  ],
  [
    'a route that refuses and calls',
    routes('{ refuse: 486, trunk: night }'),
    `CONFIG_ROUTE_REFUSES 20:26 ${ROUTE}[0].trunk`,
  ],
  [
    'a status a route may not refuse with',
    routes('{ refuse: 200 }'),
    `CONFIG_BAD_VALUE 20:21 ${ROUTE}[0].refuse`,
  ],
  [
    'two routes of one name',
    routes('{ name: a, match: { country: [FR] } }', '{ name: a, match: { country: [DE] } }'),
    `CONFIG_DUPLICATE_NAME 21:19 ${ROUTE}[1].name`,
  ],
  [
    'a route with the name of no route',
    routes('{ name: inbound, match: { country: [FR] } }'),
    `CONFIG_DUPLICATE_NAME 20:19 ${ROUTE}[0].name`,
  ],
  [
    'a country that is none',
    routes('{ match: { country: UK } }'),
    `CONFIG_BAD_VALUE 20:31 ${ROUTE}[0].match.country`,
    'GB',
  ],
  [
    'a country that is none among others',
    routes('{ match: { country: [FR, fr] } }'),
    `CONFIG_BAD_VALUE 20:36 ${ROUTE}[0].match.country[1]`,
    'FR',
  ],
  [
    'a country that is a number',
    routes('{ match: { country: [SE, 47] } }'),
    `CONFIG_WRONG_TYPE 20:36 ${ROUTE}[0].match.country[1]`,
  ],
  [
    'an unknown condition',
    routes('{ match: { countries: [FR] } }'),
    `CONFIG_UNKNOWN_KEY 20:22 ${ROUTE}[0].match.countries`,
    'country',
  ],
  [
    'hours that are neither open nor closed',
    routes('{ match: { hours: close } }'),
    `CONFIG_BAD_VALUE 20:29 ${ROUTE}[0].match.hours`,
    'closed',
  ],
  [
    'national numbers without a nation',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    presentation: { numbers: national }']),
    'CONFIG_COUNTRY_CODE_MISSING 23:30 trunks[0].presentation.numbers',
  ],
  [
    'a calling code without quotes',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    presentation: { country_code: 44 }']),
    'CONFIG_NOT_QUOTED 23:35 trunks[0].presentation.country_code',
    '"44"',
  ],
  [
    'user ids that nothing stands in for',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    presentation: { user_id: replace }']),
    'CONFIG_USER_ID_NUMBER_MISSING 23:30 trunks[0].presentation.user_id',
  ],
  [
    'a misspelt display policy',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    presentation: { display: profil }']),
    'CONFIG_BAD_VALUE 23:30 trunks[0].presentation.display',
    'profile',
  ],
  [
    'a display name of an unknown placeholder',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    presentation: { display: "{profil} x" }']),
    'CONFIG_BAD_VALUE 23:30 trunks[0].presentation.display',
    '{profile} x',
  ],
  [
    'a prefix of a number that does not exist',
    edit(['{ number: support }', '{ prefixes: [{ prefix: "9", number: suport }] }']),
    'CONFIG_UNKNOWN_NUMBER 23:51 trunks[0].outbound.prefixes[0].number',
    'support',
  ],
  [
    'one prefix twice',
    edit([
      '{ number: support }',
      '{ prefixes: [{ prefix: "9", number: support }, { prefix: "9", number: support }] }',
    ]),
    'CONFIG_DUPLICATE_NAME 23:72 trunks[0].outbound.prefixes[1].prefix',
  ],
  [
    'a prefix that nobody can dial',
    edit(['{ number: support }', '{ prefixes: [{ prefix: "9-1", number: support }] }']),
    'CONFIG_BAD_VALUE 23:38 trunks[0].outbound.prefixes[0].prefix',
  ],
  [
    'an unknown source of the number',
    edit(['{ number: support }', '{ by: [form, pai] }']),
    'CONFIG_BAD_VALUE 23:22 trunks[0].outbound.by[0]',
    'from',
  ],
]

for (const [name, text, is, nearest] of errors) {
  t.test(`${name} is an error`, async (t) => {
    const { errors } = issuesOf(text)
    t.same(errors.map(brief), [is])
    t.equal(errors[0]?.nearest, nearest)
  })
}

const HOURS = `call_hours: { status: DISABLED, timezone_id: Europe/Paris, weekly_operating_hours: [{ day_of_week: MONDAY, open_time: "0900", close_time: "1700" }] }`
const withHours = (text: string) =>
  text.replace('sip: { status: ENABLED }', `sip: { status: ENABLED }\n      ${HOURS}`)
const sending = (text: string) =>
  text.replace('{ status: ENABLED }', '{ request_uri_user_params: { tgrp: sales } }')

const warnings: [name: string, text: string, are: string[]][] = [
  [
    'a route after one that takes every call',
    routes('{ trunk: night }', '{ match: { country: [FR] } }'),
    [`CONFIG_ROUTE_UNREACHABLE 21:11 ${ROUTE}[1]`],
  ],
  [
    'a route whose countries are all taken',
    routes('{ match: { country: [FR, DE, AT] } }', '{ match: { country: [DE, FR] } }'),
    [`CONFIG_ROUTE_UNREACHABLE 21:11 ${ROUTE}[1]`],
  ],
  [
    'a route of a country that is not taken',
    routes('{ match: { country: [FR, DE] } }', '{ match: { country: [DE, BE] } }'),
    [],
  ],
  [
    'a route of a payload that a pattern takes',
    routes('{ match: { payload: "order-*" } }', '{ match: { payload: [order-1, "order-x-*"] } }'),
    [`CONFIG_ROUTE_UNREACHABLE 21:11 ${ROUTE}[1]`],
  ],
  [
    'a narrower route first',
    routes('{ match: { payload: order-1 } }', '{ match: { payload: "order-*" } }'),
    [],
  ],
  [
    'a route with a condition more than the one before',
    routes('{ match: { country: FR } }', '{ match: { country: FR, params: { tgrp: a } } }'),
    [`CONFIG_ROUTE_UNREACHABLE 21:11 ${ROUTE}[1]`],
  ],
  [
    'a route with a condition less',
    routes('{ match: { country: FR, params: { tgrp: a } } }', '{ match: { country: FR } }'),
    [],
  ],
  [
    'parameters in another spelling',
    routes('{ match: { params: { TGRP: Sales } } }', '{ match: { params: { tgrp: sales } } }'),
    [`CONFIG_ROUTE_UNREACHABLE 21:11 ${ROUTE}[1]`],
  ],
  [
    'both halves of the day',
    withHours(routes('{ match: { hours: open } }', '{ match: { hours: closed } }')),
    [],
  ],
  [
    'hours of a number without hours',
    routes('{ match: { hours: closed } }'),
    [`CONFIG_ROUTE_HOURS_MISSING 20:29 ${ROUTE}[0].match.hours`],
  ],
  [
    'a parameter WhatsApp sends with another value',
    sending(routes('{ match: { params: { tgrp: support } } }')),
    [`CONFIG_ROUTE_PARAM_UNSENT 20:38 ${ROUTE}[0].match.params.tgrp`],
  ],
  [
    'a parameter WhatsApp does not send',
    sending(routes('{ match: { params: { group: "*" } } }')),
    [`CONFIG_ROUTE_PARAM_UNSENT 20:39 ${ROUTE}[0].match.params.group`],
  ],
  ['a parameter WhatsApp sends', sending(routes('{ match: { params: { TGRP: "SA*" } } }')), []],
  ['parameters nobody has configured here', routes('{ match: { params: { tgrp: a } } }'), []],
  [
    'a route and a step that ring for long',
    inbound('overflow: [{ trunk: backup, ring_timeout: 90s }]', 'routes: [{ ring_timeout: 2m }]'),
    [
      'CONFIG_RING_TIMEOUT_LONG 19:49 numbers[0].inbound.overflow[0].ring_timeout',
      `CONFIG_RING_TIMEOUT_LONG 20:32 ${ROUTE}[0].ring_timeout`,
    ],
  ],
  [
    'audio of a route while the SDP is passed through',
    routes('{ match: { country: FR }, early_media: true }'),
    [`CONFIG_NO_EFFECT 20:37 ${ROUTE}[0].early_media`],
  ],
  [
    'prefixes that are not looked at',
    edit(['{ number: support }', '{ by: [pai], prefixes: [{ prefix: "9", number: support }] }']),
    ['CONFIG_PREFIXES_UNUSED 23:28 trunks[0].outbound.prefixes'],
  ],
]

for (const [name, text, are] of warnings) {
  t.test(`${name}: ${are.length > 0 ? 'a warning' : 'nothing to say'}`, async (t) => {
    const { errors, warnings } = issuesOf(text)
    t.same(errors.map(brief), [])
    t.same(warnings.map(brief), are)
  })
}

t.test('what a route leaves out is as in inbound', async (t) => {
  const [number] = configOf(
    inbound(
      'to: "{caller}"',
      'ring_timeout: 30s',
      'overflow: [backup, { trunk: night, to: vm, ring_timeout: 10s }]',
      'announcement: busy.wav',
      'routes:',
      '  - { match: { country: FR, payload: [a, b] }, from: "{business}" }',
      '  - { name: night, trunk: night, early_media: true }',
      '  - { name: alone, overflow: [], announcement: other.wav }',
      '  - { name: no, refuse: 486 }',
    ),
  ).numbers
  const way = number!.inbound!
  const night = { trunk: 'night', to: 'vm', from: '{caller}', ringTimeout: 10_000 }
  const backup = { trunk: 'backup', to: '{caller}', from: '{caller}', ringTimeout: 30_000 }
  t.same(way.overflow, [backup, night])
  t.match(way.routes, [
    {
      name: 'route-1',
      match: { params: {}, country: ['FR'], payload: ['a', 'b'], hours: undefined },
      inbound: {
        trunk: 'main',
        to: '{caller}',
        from: '{business}',
        ringTimeout: 30_000,
        // What the chain of inbound leaves open is as in the route.
        overflow: [
          { ...backup, from: '{business}' },
          { ...night, from: '{business}' },
        ],
        announcement: '/etc/causeway/busy.wav',
      },
    },
    { name: 'night', inbound: { trunk: 'night', overflow: [], earlyMedia: true } },
    { name: 'alone', inbound: { trunk: 'main', announcement: '/etc/causeway/other.wav' } },
    { name: 'no', refuse: 486 },
  ])
  t.same(way.routes[2]?.inbound.overflow, [])
})

t.test('a file a route plays has to be there', async (t) => {
  const text = routes('{ match: { country: FR }, announcement: gone.wav }')
  const readFile = (path: string): string => {
    if (path.endsWith('.wav')) throw Object.assign(new Error('no'), { code: 'ENOENT' })
    return 'x'
  }
  const { warnings } = issuesOf(text, { readFile })
  t.same(warnings.map(brief), [
    `CONFIG_NO_EFFECT 20:37 ${ROUTE}[0].announcement`,
    `CONFIG_FILE_MISSING 20:51 ${ROUTE}[0].announcement`,
  ])
})

t.test('every default is what it was before there were routes', async (t) => {
  const { numbers, trunks } = configOf(edit())
  t.match(numbers[0]!.inbound, { trunk: 'main', to: '{business}', from: '{caller}' })
  t.same(numbers[0]!.inbound!.overflow, [])
  t.same(numbers[0]!.inbound!.routes, [])
  t.same(trunks[0]!.outbound, {
    number: 'support',
    to: '{dialed}',
    by: ['prefix', 'pai', 'from', 'diversion', 'history-info'],
    prefixes: [],
  })
  t.match(trunks[0]!.presentation, {
    numbers: 'e164',
    identity: 'pai',
    from: 'caller',
    display: 'profile',
    userId: 'keep',
  })
})

t.test('what is printed reads back as the same configuration', async (t) => {
  const text = inbound(
    'overflow: [backup, { trunk: night, ring_timeout: 10s }]',
    'routes:',
    '  - { name: a, match: { params: { tgrp: x }, country: FR, payload: p, hours: open }, overflow: backup }',
    '  - { name: b, refuse: 603 }',
  ).replace(
    'outbound: { number: support }',
    'outbound: { by: [from, prefix], prefixes: [{ prefix: "9", number: support, strip: false }] }\n    presentation: { numbers: national, country_code: "44", national_prefix: "", display: "{line}", user_id: display, user_id_number: "0" }',
  )
  const config = configOf(text)
  const again = configOf(formatConfig(config))
  t.same(again.numbers[0]!.inbound, config.numbers[0]!.inbound)
  t.same(again.trunks, config.trunks)
  const { numbers } = parse(formatConfig(config))
  t.same(numbers[0].inbound.overflow[0], 'backup', 'a name where there is nothing else to say')
  t.same(numbers[0].inbound.routes[1], { name: 'b', match: {}, refuse: 603 })
})
