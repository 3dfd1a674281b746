import t from 'tap'
import { expand, shield, unshield } from '../../src/config/variables.ts'
import { brief, configOf, edit, issuesOf, VALID } from '../support/config-file.ts'

const env = { HOST: '10.0.0.9', EMPTY: '', TOKEN: 'tricky: "value" # {not} [yaml]', CALLS: '12' }

t.test('references and defaults expand as in a shell', async (t) => {
  const cases: [string, string][] = [
    [`sip:\${HOST}`, 'sip:10.0.0.9'],
    [`\${HOST}:\${PORT:-5060}`, '10.0.0.9:5060'],
    [`\${EMPTY}`, ''],
    [`\${EMPTY:-filled}`, 'filled'],
    [`\${PORT:-}`, ''],
    [`$\${HOST}`, `\${HOST}`],
    ['$HOST costs $5', '$HOST costs $5'],
  ]
  for (const [text, result] of cases) {
    t.match(expand(text, env), { text: result, problems: [] }, text)
  }
})

t.test('what cannot be expanded is named', async (t) => {
  t.match(expand(`\${PORT}`, env).problems, [{ kind: 'unset', name: 'PORT' }])
  for (const text of [`\${HOST-x}`, `\${1A}`, `\${}`, `\${HOST`, `\${HOST:?must}`]) {
    t.equal(expand(text, env).problems[0]?.kind, 'syntax', text)
  }
})

t.test('shielding keeps lengths and can be undone', async (t) => {
  const text = `{ a: \${A:-[x, "y"]}, b: "\${B}" } # \${C}`
  t.equal(shield(text).length, text.length)
  t.notMatch(shield(text), /\$/)
  t.equal(unshield(shield(text)), text)
})

t.test(
  'a variable may stand unquoted in braces, and its value cannot change the file',
  async (t) => {
    const text = edit(
      ['access_token: token-of-support', `access_token: \${TOKEN}`],
      ['{ srtp: sdes }', `{ srtp: \${SRTP:-sdes} }`],
      ['"sip:10.0.0.9:5060"', `"sip:\${HOST}:5060"`],
    )
    const config = configOf(text, { env })
    t.equal(config.numbers[0]!.accessToken?.reveal(), env.TOKEN)
    t.equal(config.trunks[0]!.media.srtp, 'sdes')
    t.equal(config.trunks[0]!.targets[0]!.host, '10.0.0.9')
  },
)

t.test('numbers and truth values may come from variables, unquoted', async (t) => {
  const text = `${VALID}limits: { calls: \${CALLS} }\nwhatsapp: { challenge: \${CHALLENGE:-false} }\n`
  const config = configOf(text, { env })
  t.equal(config.limits.calls, 12)
  t.equal(config.whatsapp.challenge, false)
  const wrong = issuesOf(`${VALID}limits: { calls: \${HOST} }\n`, { env })
  t.match(wrong.errors, [{ code: 'CONFIG_WRONG_TYPE', found: `\${HOST}` }])
})

t.test('phone numbers from variables stay text', async (t) => {
  const text = edit(['"+441632960123"', `\${PHONE}`], ['"106540352242922"', `\${ID}`])
  const numbers = { PHONE: '+441632960999', ID: '0017' }
  t.match(configOf(text, { env: numbers }).numbers[0]!, {
    phoneNumber: '+441632960999',
    phoneNumberId: '0017',
  })
})

t.test('an unset variable is an error at its own place, with the nearest name', async (t) => {
  const text = edit(['"sip:10.0.0.9:5060"', `"sip:\${HOSTT}:5060"`])
  const { errors } = issuesOf(text, { env })
  t.same(errors.map(brief), ['CONFIG_VARIABLE_UNSET 21:20 trunks[0].targets[0]'])
  t.match(errors[0], { detail: 'HOSTT', nearest: 'HOST', excerpt: { length: 8 } })
})

t.test('a malformed reference is an error, one in a comment is not', async (t) => {
  const text = `${edit(['token-of-support', `\${WA-TOKEN}`])}# \${NOT_SET}\n`
  const { errors } = issuesOf(text, { env })
  t.same(errors.map(brief), ['CONFIG_VARIABLE_SYNTAX 13:19 numbers[0].access_token'])
})

t.test('values of variables appear in no message', async (t) => {
  const secret = 'hunter2-value'
  const text = edit(
    ['domain: sip.example.com', `domain: "\${A} \${A}"`],
    ['relay: none', `relay: \${A}`],
    ['"+441632960123"', `\${A}`],
    ['"sip:10.0.0.9:5060"', `"\${A}", "sip:x@\${A}"`],
    ['trunk: main', `trunk: main\n      to: "{\${A}}"\n      ring_timeout: \${A}`],
  )
  const { errors } = issuesOf(text, { env: { A: secret } })
  t.equal(errors.length, 7)
  for (const error of errors) {
    t.notMatch(JSON.stringify(error) + error.message + error.excerpt.text, secret, error.path)
  }
})
