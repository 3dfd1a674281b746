import { inspect } from 'node:util'
import t from 'tap'
import { formatConfig, recordsKey } from '../../src/config/index.ts'
import { brief, configOf, edit, issuesOf, VALID } from '../support/config-file.ts'

const files: Record<string, string> = {
  '/etc/causeway/tls/cert.pem': 'cert',
  '/etc/causeway/tls/key.pem': 'key',
  '/run/secrets/token': 'from-file\n',
  '/etc/causeway/secrets/pbx': ' spaces stay \r\n',
  '/etc/causeway/empty': '\n',
}

function readFile(path: string): string {
  const text = files[path]
  if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
  return text
}

t.test('a secret may be a file, relative to the configuration, one newline dropped', async (t) => {
  const text = edit(
    ['access_token: token-of-support', 'access_token_file: /run/secrets/token'],
    [
      '{ srtp: sdes }',
      '{ srtp: sdes }\n    credentials: { username: me, password_file: secrets/pbx }',
    ],
  )
  const config = configOf(text, { readFile })
  t.equal(config.numbers[0]!.accessToken?.reveal(), 'from-file')
  t.equal(config.trunks[0]!.credentials?.password.reveal(), ' spaces stay ')
})

t.test('every secret key has a file twin', async (t) => {
  const text = `${edit(
    ['access_token: token-of-support', 'access_token_file: f\n    sip_password_file: f'],
    [
      '{ srtp: sdes }',
      '{ srtp: sdes }\n    register: { registrar: "sip:a", username: u, password_file: f }\n    accept: { username: u, password_file: f }',
    ],
  )}whatsapp: { webhooks: { verify_token_file: f, app_secret_file: f } }\nhttp: { token_file: f }\nrecords: { secret_file: f }\n`
  const hidden = 'ab'.repeat(32)
  const config = configOf(text, { readFile: () => hidden })
  const secrets = [
    config.numbers[0]!.accessToken,
    config.numbers[0]!.sipPassword,
    config.trunks[0]!.register?.password,
    config.trunks[0]!.accept.password,
    config.whatsapp.webhooks?.verifyToken,
    config.whatsapp.webhooks?.appSecret,
    config.http.token,
    config.records.secret,
  ]
  t.same(
    secrets.map((secret) => secret?.reveal()),
    Array(8).fill(hidden),
  )
})

t.test('both ways at once, a missing and an empty file are errors', async (t) => {
  const issue = (to: string): string[] =>
    issuesOf(edit(['access_token: token-of-support', to]), { readFile }).errors.map(brief)
  t.same(issue('access_token: a\n    access_token_file: /run/secrets/token'), [
    'CONFIG_SECRET_TWICE 14:5 numbers[0].access_token_file',
  ])
  t.same(issue('access_token_file: nowhere'), [
    'CONFIG_SECRET_FILE 13:24 numbers[0].access_token_file',
  ])
  t.same(issue('access_token_file: empty'), [
    'CONFIG_SECRET_FILE 13:24 numbers[0].access_token_file',
  ])
  t.same(issue('access_token: ""'), ['CONFIG_BAD_VALUE 13:19 numbers[0].access_token'])
})

t.test('the key of the records is 32 octets, in hex or base64', async (t) => {
  const octets = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7))
  const given = (value: string) => `${VALID}records: { secret: "${value}" }\n`
  for (const spelling of ['hex', 'base64', 'base64url'] as const) {
    const { records } = configOf(given(octets.toString(spelling)))
    t.same(recordsKey(records.secret!.reveal()), octets, spelling)
  }
  t.same(recordsKey(` ${octets.toString('hex').toUpperCase()}\n`), octets)
  for (const wrong of [
    'hunter2',
    'ab'.repeat(31),
    'ab'.repeat(33),
    octets.toString('base64').slice(4),
  ]) {
    const [error, ...more] = issuesOf(given(wrong)).errors
    t.same(more, [])
    t.equal(brief(error!), 'CONFIG_RECORDS_SECRET 24:12 records.secret')
    t.notMatch(inspect(error) + error!.excerpt.text, wrong)
  }
  const file = issuesOf(`${VALID}records: { secret_file: /run/secrets/token }\n`, { readFile })
  t.same(file.errors.map(brief), ['CONFIG_RECORDS_SECRET 24:12 records.secret_file'])
})

t.test('certificate files that cannot be read are a warning', async (t) => {
  const text = `${edit(['tls/key.pem', 'tls/keey.pem'])}whatsapp: { ca: lab.pem }\n`
  const { errors, warnings } = issuesOf(text, { readFile })
  t.same(errors, [])
  t.same(warnings.map(brief), [
    'CONFIG_FILE_MISSING 6:35 sip.tls.key',
    'CONFIG_FILE_MISSING 24:17 whatsapp.ca',
  ])
})

t.test('no error, excerpt or printed configuration shows a secret', async (t) => {
  const secret = 'hunter2'
  const broken = [
    edit(['access_token: token-of-support', `acess_token: ${secret}`]),
    edit(['access_token: token-of-support', `access_token: "${secret}"\n    bogus: 1`]),
    edit(['access_token: token-of-support', `access_token: [${secret}]`]),
    edit(['    access_token: token-of-support', `      access_token: ${secret}`]),
    edit([
      '{ srtp: sdes }',
      `{ srtp: sdes }\n    credentials: { password: ${secret}, usrname: x }`,
    ]),
    edit([
      '{ srtp: sdes }',
      `{ srtp: sdes }\n    credentials: {"password":"${secret}","usrname":"x"}`,
    ]),
    edit(['access_token: token-of-support', `access_token:\n      [${secret}]`]),
    edit(['  listen:', `  server: drachtio://:${secret}@nowhere\n  listen:`]),
    edit(['access_token: token-of-support', `access_token: *${secret}`]),
    edit(['access_token: token-of-support', `access_token: \${NOT_SET:-${secret}} }: x: y`]),
  ]
  for (const text of broken) {
    const { errors, warnings } = issuesOf(text)
    t.ok(errors.length > 0)
    for (const issue of [...errors, ...warnings]) {
      const shown = inspect(issue) + JSON.stringify(issue) + issue.excerpt.text
      t.notMatch(shown, secret, brief(issue))
    }
  }
  const config = configOf(VALID)
  t.notMatch(formatConfig(config) + inspect(config, { depth: 9 }), 'token-of-support')
})

t.test(
  'the excerpt keeps pointing at the same word when a secret before it is masked',
  async (t) => {
    const text = edit([
      '{ srtp: sdes }',
      '{ srtp: sdes }\n    credentials: { password: hunter2, user: x }',
    ])
    const unknown = issuesOf(text).errors.find(({ code }) => code === 'CONFIG_UNKNOWN_KEY')
    const { text: line, column, length } = unknown!.excerpt
    t.equal(line.slice(column - 1, column - 1 + length), 'user')
    t.match(line, /password: \[redacted\], user/)
  },
)
