import { createHmac } from 'node:crypto'
import t from 'tap'
import { Secret } from '../../src/shared/secret.ts'
import { answerHandshake } from '../../src/webhooks/handshake.ts'
import { isSigned, signatureOf } from '../../src/webhooks/signature.ts'

const secret = new Secret('a-secret-of-the-app')
// Escapes as the sender wrote them: only the bytes count, not what they mean.
const body = Buffer.from('{"object":"whatsapp_business_account","text":"\\u00e4\\u00f6"}')
const digest = createHmac('sha256', 'a-secret-of-the-app').update(body).digest('hex')

t.test('the signature is HMAC-SHA256 of the raw bytes', async (t) => {
  // RFC 4231 §4.3, test case 2.
  const known = signatureOf(new Secret('Jefe'), Buffer.from('what do ya want for nothing?'))
  t.equal(known, 'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  t.equal(signatureOf(secret, body), `sha256=${digest}`)
  t.equal(isSigned(secret, body, `sha256=${digest}`), true)
  t.equal(isSigned(secret, body, `sha256=${digest.toUpperCase()}`), true)
  t.equal(isSigned(secret, body, ` sha256=${digest} `), true)
})

const malformed: [string, unknown][] = [
  ['no header', undefined],
  ['an empty one', ''],
  ['no prefix', digest],
  ['another algorithm', `sha1=${digest.slice(0, 40)}`],
  ['the older prefix with the right digest', `sha1=${digest}`],
  ['a digit too few', `sha256=${digest.slice(1)}`],
  ['a digit too many', `sha256=${digest}0`],
  ['no hexadecimal', `sha256=${digest.slice(0, 63)}g`],
  ['base64', `sha256=${Buffer.from(digest, 'hex').toString('base64')}`],
  ['two of them in one', `sha256=${digest}, sha256=${digest}`],
  ['two headers', [`sha256=${digest}`, `sha256=${digest}`]],
  ['another digest', `sha256=${'0'.repeat(64)}`],
  ['a blank inside', `sha256= ${digest}`],
]

for (const [what, header] of malformed) {
  t.test(`${what}: refused`, async (t) => {
    t.equal(isSigned(secret, body, header), false)
  })
}

t.test('one byte more, another escape or another secret: refused', async (t) => {
  const header = `sha256=${digest}`
  t.equal(isSigned(secret, Buffer.concat([body, Buffer.from('\n')]), header), false)
  t.equal(isSigned(secret, Buffer.from(JSON.stringify(JSON.parse(String(body)))), header), false)
  t.equal(isSigned(new Secret('another'), body, header), false)
  t.equal(isSigned(secret, Buffer.alloc(0), header), false)
})

const good = {
  'hub.mode': 'subscribe',
  'hub.verify_token': 'verify-me',
  'hub.challenge': '1158201444',
}

t.test('the handshake echoes the challenge', async (t) => {
  t.equal(answerHandshake(good, new Secret('verify-me')), '1158201444')
})

const refused: [string, Record<string, unknown>, Secret | undefined][] = [
  ['another token', { ...good, 'hub.verify_token': 'verify-mf' }, new Secret('verify-me')],
  ['a longer token', { ...good, 'hub.verify_token': 'verify-me-too' }, new Secret('verify-me')],
  ['no token', { 'hub.mode': 'subscribe', 'hub.challenge': '1' }, new Secret('verify-me')],
  ['a token twice', { ...good, 'hub.verify_token': ['verify-me', 'x'] }, new Secret('verify-me')],
  ['another mode', { ...good, 'hub.mode': 'unsubscribe' }, new Secret('verify-me')],
  ['no challenge', { ...good, 'hub.challenge': undefined }, new Secret('verify-me')],
  ['an empty challenge', { ...good, 'hub.challenge': '' }, new Secret('verify-me')],
  [
    'a page for a challenge',
    { ...good, 'hub.challenge': 'x'.repeat(257) },
    new Secret('verify-me'),
  ],
  ['nothing configured', good, undefined],
  ['no query', {}, new Secret('verify-me')],
]

for (const [what, query, token] of refused) {
  t.test(`handshake with ${what}: refused`, async (t) => {
    t.equal(answerHandshake(query, token), undefined)
  })
}
