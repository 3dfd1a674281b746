import t from 'tap'
import { brief, configOf, issuesOf, VALID } from '../support/config-file.ts'

const inbound = (keys: string): string => `${VALID}whatsapp:\n  webhooks: ${keys}\n`
const target = (keys: string): string => `${VALID}events:\n  webhooks:\n    - ${keys}\n`
const GOOD = '{ verify_token: a, app_secret: b }'

const issues: [name: string, text: string, errors: string[], warnings: string[]][] = [
  ['an endpoint with both secrets', inbound(GOOD), [], []],
  ['secrets from files', inbound('{ verify_token_file: a, app_secret_file: b }'), [], []],
  [
    'an endpoint without the app secret',
    inbound('{ verify_token: a }'),
    [],
    ['CONFIG_WEBHOOKS_HALF 25:3 whatsapp.webhooks'],
  ],
  [
    'an endpoint without anything',
    inbound('{}'),
    [],
    ['CONFIG_WEBHOOKS_HALF 25:3 whatsapp.webhooks', 'CONFIG_WEBHOOKS_HALF 25:3 whatsapp.webhooks'],
  ],
  [
    'an endpoint whose app secret is no text',
    inbound('{ verify_token: a, app_secret: [b] }'),
    ['CONFIG_WRONG_TYPE 25:44 whatsapp.webhooks.app_secret'],
    [],
  ],
  ...['/', '/livez', '/metrics/', '/api', '/api/v1/calls'].map(
    (path): [string, string, string[], string[]] => [
      `an endpoint at ${path}`,
      inbound(`{ verify_token: a, app_secret: b, path: ${path} }`),
      ['CONFIG_WEBHOOKS_PATH 25:53 whatsapp.webhooks.path'],
      [],
    ],
  ),
  ['an endpoint at /apis', inbound(`{ verify_token: a, app_secret: b, path: /apis }`), [], []],
  ['a target', target('{ url: "https://crm.example.com/x?y=z", secret: s }'), [], []],
  ['a target on this machine', target('{ url: "http://127.0.0.1:8000", secret: s }'), [], []],
  ['another one', target('{ url: "http://[::1]:8000/x", secret_file: s }'), [], []],
  [
    'a target without a secret',
    target('{ url: "https://crm.example.com/" }'),
    ['CONFIG_EVENT_SECRET 26:7 events.webhooks[0]'],
    [],
  ],
  [
    'a target over plain HTTP',
    target('{ url: "http://crm.example.com/", secret: s }'),
    [],
    ['CONFIG_EVENT_PLAIN 26:14 events.webhooks[0].url'],
  ],
  ...[
    'ftp://crm.example.com',
    'crm.example.com',
    'https://a:b@crm.example.com',
    'https://x/#y',
  ].map((url): [string, string, string[], string[]] => [
    `a target at ${url}`,
    target(`{ url: "${url}", secret: s }`),
    ['CONFIG_BAD_VALUE 26:14 events.webhooks[0].url'],
    [],
  ]),
  [
    'a type of event that does not exist',
    target('{ url: "https://crm.example.com", secret: s, events: [call.over] }'),
    ['CONFIG_BAD_VALUE 26:61 events.webhooks[0].events[0]'],
    [],
  ],
  [
    'no type of event at all',
    target('{ url: "https://crm.example.com", secret: s, events: [] }'),
    ['CONFIG_BAD_VALUE 26:60 events.webhooks[0].events'],
    [],
  ],
]

for (const [name, text, errors, warnings] of issues) {
  t.test(name, async (t) => {
    const found = issuesOf(text)
    t.same(found.errors.map(brief), errors)
    t.same(found.warnings.map(brief), warnings)
  })
}

t.test('what is configured arrives', async (t) => {
  const { events } = configOf(
    `${VALID}events:
  webhooks:
    - { url: "https://crm.example.com", secret: s, events: [call.ended] }
    - { url: "https://b.example.com/x", secret_file: f }
`,
  )
  t.match(events.webhooks, [
    { url: 'https://crm.example.com/', events: ['call.ended'] },
    { url: 'https://b.example.com/x', events: undefined },
  ])
  t.same(
    events.webhooks.map(({ secret }) => secret.reveal()),
    ['s', 'x'],
  )
  t.same(configOf(VALID).events, { webhooks: [] })
})

t.test('a password in a URL is not shown', async (t) => {
  const { errors } = issuesOf(target('{ url: "https://a:hidden@crm.example.com", secret: s }'))
  t.match(errors[0]?.found, /\[redacted\]/)
  t.notMatch(JSON.stringify([errors[0]?.found, errors[0]?.message, errors[0]?.excerpt]), 'hidden')
})
