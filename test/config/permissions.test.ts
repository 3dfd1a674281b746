import t from 'tap'
import { redactedConfig } from '../../src/config/index.ts'
import { brief, configOf, edit, issuesOf } from '../support/config-file.ts'

const OUTBOUND = '    outbound: { number: support }\n'

/** The file with `permissions` on its trunk, and other changes. */
function withPermissions(value: string, ...changes: [string, string][]): string {
  return edit([OUTBOUND, `${OUTBOUND}    permissions: ${value}\n`], ...changes)
}

t.test('a word, a mapping, or nothing', async (t) => {
  const none = { template: undefined, text: undefined }
  const rows: [string | undefined, object][] = [
    [undefined, { mode: 'off', ...none }],
    ['off', { mode: 'off', ...none }],
    ['check', { mode: 'check', ...none }],
    ['request', { mode: 'request', ...none }],
    ['{ mode: check }', { mode: 'check', ...none }],
    ['{ mode: request, text: "May we?" }', { mode: 'request', ...none, text: 'May we?' }],
    [
      '{ mode: request, template: call_permission, language: en_GB }',
      { mode: 'request', ...none, template: { name: 'call_permission', language: 'en_GB' } },
    ],
  ]
  for (const [value, expected] of rows) {
    const text = value === undefined ? edit() : withPermissions(value)
    t.same(issuesOf(text).warnings, [], value ?? 'absent')
    t.same(configOf(text).trunks[0]!.permissions, expected)
  }
})

t.test('printed as it would be written', async (t) => {
  const printed = (value: string) => {
    const [trunk] = redactedConfig(configOf(withPermissions(value)))['trunks'] as object[]
    return (trunk as Record<string, unknown>)['permissions']
  }
  t.equal(printed('check'), 'check')
  t.equal(printed('{ mode: request }'), 'request')
  t.same(printed('{ mode: request, text: Hi }'), { mode: 'request', text: 'Hi' })
  const template = { mode: 'request', template: 'calls', language: 'en' }
  t.same(printed('{ mode: request, template: calls, language: en }'), template)
})

t.test('what is wrong is told with its place', async (t) => {
  const rows: [string, string, RegExp][] = [
    ['chekc', 'CONFIG_BAD_VALUE 24:18 trunks[0].permissions', /this word is not known/],
    ['true', 'CONFIG_WRONG_TYPE 24:18 trunks[0].permissions', /permissions is a truth value/],
    [
      '{ template: calls, language: en }',
      'CONFIG_MISSING_KEY 24:5 trunks[0].permissions.mode',
      /mode/,
    ],
    [
      '{ mode: request, templat: calls }',
      'CONFIG_UNKNOWN_KEY 24:35 trunks[0].permissions.templat',
      /templat/,
    ],
    [
      '{ mode: request, template: Calls!, language: en }',
      'CONFIG_BAD_VALUE 24:45 trunks[0].permissions.template',
      /not the name of a template/,
    ],
    [
      '{ mode: request, template: calls, language: english }',
      'CONFIG_BAD_VALUE 24:62 trunks[0].permissions.language',
      /not a language code/,
    ],
    [
      '{ mode: request, text: " " }',
      'CONFIG_BAD_VALUE 24:41 trunks[0].permissions.text',
      /the text is empty/,
    ],
    [
      '{ mode: request, template: calls }',
      'CONFIG_PERMISSIONS_MESSAGE 24:5 trunks[0].permissions',
      /language is missing/,
    ],
    [
      '{ mode: request, language: en }',
      'CONFIG_PERMISSIONS_MESSAGE 24:5 trunks[0].permissions',
      /template is missing/,
    ],
    [
      '{ mode: request, template: calls, language: en, text: Hi }',
      'CONFIG_PERMISSIONS_MESSAGE 24:66 trunks[0].permissions.text',
      /brings its own text/,
    ],
    [
      '{ mode: check, text: Hi }',
      'CONFIG_PERMISSIONS_MESSAGE 24:26 trunks[0].permissions.mode',
      /mode check sends no message/,
    ],
  ]
  for (const [value, expected, detail] of rows) {
    const { errors } = issuesOf(withPermissions(value))
    t.same(errors.map(brief), [expected], value)
    t.match(errors[0]?.detail, detail)
  }
  const typo = issuesOf(withPermissions('chekc')).errors[0]
  t.equal(typo?.nearest, 'check')
})

t.test('a provider or number that cannot be asked', async (t) => {
  const dialog: [string, string] = ['media:', 'whatsapp: { provider: 360dialog }\nmedia:']
  t.same(issuesOf(withPermissions('check', dialog)).errors.map(brief), [
    'CONFIG_PERMISSIONS_PROVIDER 25:18 trunks[0].permissions',
  ])
  t.same(issuesOf(withPermissions('off', dialog)).errors, [])
  const tokenless: [string, string] = [
    '    access_token: token-of-support\n',
    '    sip_password: x\n',
  ]
  t.same(issuesOf(withPermissions('check', tokenless)).warnings.map(brief).filter(mine), [
    'CONFIG_PERMISSIONS_TOKEN 24:18 trunks[0].permissions',
  ])
  t.same(issuesOf(withPermissions('off', tokenless)).warnings.map(brief).filter(mine), [])
})

const mine = (line: string): boolean => line.startsWith('CONFIG_PERMISSIONS')
