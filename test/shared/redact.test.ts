import { PassThrough } from 'node:stream'
import t from 'tap'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { createLogger, maskNumber } from '../../src/shared/log.ts'
import { redactText } from '../../src/shared/redact.ts'
import { Secret } from '../../src/shared/secret.ts'

const rows: [string, string, RegExp][] = [
  [
    'SDES key',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd',
    /AAEC/,
  ],
  ['ICE password', 'a=ice-pwd:AAECAwQFBgcICQoLDA0ODw==', /AAEC/],
  ['digest', 'Proxy-Authorization: Digest username="4416", response="2915fd5d"', /2915/],
  ['bearer', 'Authorization: Bearer EAAG123', /EAAG/],
  ['credentials in JSON', '{"sip_user_password":"s3cret"}', /s3cret/],
]

for (const [name, text, secret] of rows) {
  t.test(`${name} is removed from text`, async (t) => {
    const out = redactText(text)
    t.notMatch(out, secret)
    t.match(out, /\[redacted\]/)
  })
}

t.test(
  'the logger redacts secrets by type and SIP text by content, and masks numbers',
  async (t) => {
    const lines: string[] = []
    const destination = new PassThrough()
    destination.on('data', (chunk) => lines.push(String(chunk)))
    const log = createLogger({ level: 'trace', numbers: 'masked', destination })
    log.info(
      { password: new Secret('hunter2'), sip: 'Authorization: Digest x', from: '+33199001234' },
      'call',
    )
    const text = lines.join('')
    t.notMatch(text, /hunter2|Digest x|199001/)
    t.match(text, /\*\*34/)
    t.equal(maskNumber('FR.13491208655302741918'), `FR.${'*'.repeat(18)}18`)
  },
)

t.test('masked: no text that names a number gets through, WACIDs become a hash', async (t) => {
  const lines: string[] = []
  const destination = new PassThrough()
  destination.on('data', (chunk) => lines.push(String(chunk)))
  const log = createLogger({ level: 'trace', numbers: 'masked', destination })
  const number = '+33199001234'
  const wacid = `wacid.${Buffer.from('33199001234').toString('base64')}`
  const err = new CausewayError('CALL_NUMBER_UNKNOWN', {
    detail: `sip:${number}@sip.example.com`,
    cause: new Error(number),
  })
  log.info({ detail: `From <sip:${number}@x>`, text: number, wacid, callId: `outgoing:${wacid}` })
  log.error({ err })
  const text = lines.join('')
  t.notMatch(text, /199001|MzMxOTkwMDEyMzQ/)
  t.match(text, /"wacid":"wacid#[0-9a-f]{12}"/)
  t.match(text, /"callId":"outgoing:wacid#[0-9a-f]{12}"/)
  t.match(text, /CALL_NUMBER_UNKNOWN/)
})

t.test(
  'an error that somebody can mend comes with the remedy, a fault of ours with its place',
  async (t) => {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const log = createLogger({ level: 'info', numbers: 'full', destination })
    const cause = new Error('ECONNREFUSED')
    const err = new CausewayError('TRUNK_REGISTER_UNREACHABLE', { detail: 'sip:10.0.0.9', cause })
    log.warn({ err }, 'not registered with the PBX')
    log.error({ err: new CausewayError('CALL_INTERNAL') }, 'a call failed inside')
    log.error({ err: new TypeError('x') }, 'a handler failed')
    const [known, internal, unknown] = lines.map((line) => JSON.parse(line).err)
    t.match(known, { code: 'TRUNK_REGISTER_UNREACHABLE', fix: err.fix, stack: undefined })
    t.same(known.cause, { message: 'ECONNREFUSED' })
    t.match(internal, { code: 'CALL_INTERNAL', fix: /./, stack: /redact\.test/ })
    t.match(unknown, { stack: /redact\.test/ })
  },
)
