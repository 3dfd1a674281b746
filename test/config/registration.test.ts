import t from 'tap'
import { brief, configOf, edit, issuesOf } from '../support/config-file.ts'

const trunk = (lines: string): string => edit(['{ srtp: sdes }', `{ srtp: sdes }\n    ${lines}`])
const register = 'registrar: "sip:10.0.0.9", username: a, password: b'

const wrong: [what: string, text: string, code: RegExp][] = [
  [
    'registrations without an account',
    trunk('accept: { registrations: true }'),
    /^CONFIG_REGISTRATIONS_OPEN 23:\d+ trunks\[0\]\.accept\.registrations/,
  ],
  [
    'a lifetime of nothing',
    trunk(`register: { ${register}, expires: 0 }`),
    /^CONFIG_REGISTER_EXPIRES 23:\d+ trunks\[0\]\.register\.expires/,
  ],
  [
    'a lifetime too short',
    trunk(`register: { ${register}, expires: 5s }`),
    /^CONFIG_REGISTER_EXPIRES /,
  ],
  [
    'a lifetime too long',
    trunk(`register: { ${register}, expires: 48h }`),
    /^CONFIG_REGISTER_EXPIRES /,
  ],
  [
    'a registrar by a transport nobody listens on',
    trunk('register: { registrar: "sip:10.0.0.9;transport=tcp", username: a, password: b }'),
    /^CONFIG_REGISTER_TRANSPORT 23:\d+ trunks\[0\]\.register\.registrar/,
  ],
  [
    'a registrar by TLS, where only WhatsApp has a listener of it',
    trunk('register: { registrar: "sip:10.0.0.9;transport=tls", username: a, password: b }'),
    /^CONFIG_REGISTER_TRANSPORT 23:\d+ /,
  ],
  [
    'a password that cannot be read',
    trunk('register: { registrar: "sip:10.0.0.9", username: a, password_file: nowhere }'),
    /^CONFIG_SECRET_FILE 23:\d+ trunks\[0\]\.register\.password_file/,
  ],
  [
    'no password',
    trunk('register: { registrar: "sip:10.0.0.9", username: a }'),
    /^CONFIG_CREDENTIALS_HALF 23:\d+ trunks\[0\]\.register/,
  ],
  [
    'an empty list of registrars',
    trunk('register: { registrar: [], username: a, password: b }'),
    /trunks\[0\]\.register\.registrar/,
  ],
  [
    'a registrar with a user',
    trunk('register: { registrar: "sip:a@10.0.0.9", username: a, password: b }'),
    /trunks\[0\]\.register\.registrar/,
  ],
]

for (const [what, text, code] of wrong) {
  t.test(`${what} is an error`, async (t) => {
    const readFile = (): string => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    }
    const { errors } = issuesOf(text, text.includes('nowhere') ? { readFile } : {})
    t.equal(errors.length, 1)
    t.match(brief(errors[0]!), code)
  })
}

const second = (lines: string): string =>
  edit([
    '{ srtp: sdes }',
    `{ srtp: sdes }\n    ${lines}\n  - name: other\n    targets: ["sip:10.0.0.20"]\n    media: { srtp: sdes }\n    ${lines}`,
  ])

t.test('two trunks of one account', async (t) => {
  const shared = issuesOf(second('accept: { username: a, password: b, registrations: true }'))
  t.match(shared.errors.map(brief), [/^CONFIG_REGISTRATIONS_SHARED /])
  const twice = issuesOf(second(`register: { ${register} }`))
  t.same(twice.errors, [])
  t.match(twice.warnings.map(brief), [/^CONFIG_REGISTER_TWICE /])
})

t.test('a registration says nothing, and is filled in', async (t) => {
  const text = trunk(`register: { ${register} }`)
  t.same(issuesOf(text), { errors: [], warnings: [] })
  t.match(configOf(text).trunks[0]?.register, {
    registrars: [{ uri: 'sip:10.0.0.9', host: '10.0.0.9', transport: 'udp' }],
    username: 'a',
    authUsername: 'a',
    contact: 'a',
    expires: 300_000,
  })
})

t.test('a list of registrars, and names of its own', async (t) => {
  const text = trunk(
    'register: { registrar: ["sip:10.0.0.9", "sip:10.0.0.10:5070"], username: a, auth_username: b, contact: c, password: d }',
  )
  t.same(issuesOf(text), { errors: [], warnings: [] })
  const { register: made } = configOf(text).trunks[0]!
  t.same(
    made?.registrars.map(({ uri }) => uri),
    ['sip:10.0.0.9', 'sip:10.0.0.10:5070'],
  )
  t.match(made, { authUsername: 'b', contact: 'c' })
})

t.test('without targets the registrars are called', async (t) => {
  const text = edit(['targets: ["sip:10.0.0.9:5060"]', `register: { ${register} }`])
  t.same(issuesOf(text), { errors: [], warnings: [] })
  const { targets, accept } = configOf(text).trunks[0]!
  t.match(targets, [{ uri: 'sip:10.0.0.9', weight: 1 }])
  t.same(accept.from, ['10.0.0.9/32'])
})
