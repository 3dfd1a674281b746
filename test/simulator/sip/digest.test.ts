import t from 'tap'
import { Secret } from '../../../src/shared/secret.ts'
import {
  answerChallenge,
  DigestGuard,
  digestResponse,
  parseDigest,
} from '../../../src/simulator/sip/digest.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const password = new Secret('s3cretS3cretS3cretS3cretS3cret12')
const vector = {
  username: '441632960123',
  realm: 'wa.meta.vc',
  password,
  method: 'INVITE',
  uri: 'sip:+33199001234@wa.meta.vc;transport=tls',
  nonce: '419ac2415577f8e1',
  nc: '00000001',
  cnonce: '0a4f113b9c27d6e8',
}

t.test('known responses', async (t) => {
  t.equal(digestResponse({ ...vector, algorithm: 'MD5' }), '2915fd5d5136c7cb881c6cbd8da6cd2e')
  t.equal(
    digestResponse({ ...vector, algorithm: 'SHA-256' }),
    '718a560d49be7db6dfe1ccff264cf6b94c035a07a4300d4f95514894f1872610',
  )
})

t.test('a challenge has the shape of a real one', async (t) => {
  const guard = new DigestGuard({
    clock: new FakeClock(),
    random: new FakeRandom(),
    realm: 'wa.meta.vc',
  })
  const [sha, md5] = guard.challenge(['SHA-256', 'MD5'], false)
  t.match(
    md5,
    /^Digest realm="wa\.meta\.vc",nonce="[0-9a-f]{16}",opaque="[0-9a-f]{16}",algorithm=MD5,qop="auth"$/,
  )
  t.match(sha, /algorithm=SHA-256/)
  t.equal(parseDigest(sha!)!['nonce'], parseDigest(md5!)!['nonce'])
})

t.test('nonces: counted, aged, never invented', async (t) => {
  const clock = new FakeClock()
  const random = new FakeRandom()
  const guard = new DigestGuard({ clock, random, realm: 'wa.meta.vc' })
  const [challenge] = guard.challenge(['SHA-512-256'], false)
  const { nonce = '' } = parseDigest(challenge!)!
  const check = (nc: string, secret = password, at = nonce) => {
    const input = { ...vector, nonce: at, nc, algorithm: 'SHA-512-256' as const }
    const response = digestResponse({ ...input, password: secret })
    const { username, realm, uri, cnonce } = vector
    return guard.check(
      {
        username,
        realm,
        uri,
        cnonce,
        nonce: at,
        nc,
        qop: 'auth',
        response,
        algorithm: 'SHA-512-256',
      },
      'INVITE',
      password,
    )
  }
  t.equal(check('00000001'), 'ok')
  t.equal(check('00000002'), 'ok', 'a nonce may be used again')
  t.equal(check('00000002'), 'stale', 'not with the same count')
  t.equal(check('00000003', new Secret('wrong')), 'wrong')
  t.equal(check('00000001', password, '0000000000000000'), 'stale')
  clock.advance(301_000)
  t.equal(check('00000004'), 'stale')
})

t.test('the answer to a business: its parameters, its order', async (t) => {
  const random = new FakeRandom()
  const value = answerChallenge({
    challenge: 'Digest realm="pbx", nonce="n1", opaque="o1", qop="auth,auth-int"',
    method: 'INVITE',
    uri: 'sip:+441632960123@sip.example.com',
    username: '441632960123',
    password,
    random,
  })
  t.match(
    value,
    /^Digest username="441632960123", realm="pbx", nonce="n1", uri="sip:\+441632960123@sip\.example\.com", response="[0-9a-f]{32}", cnonce="\w{30}", opaque="o1", qop=auth, nc=00000001$/,
  )
  const params = parseDigest(value!)!
  t.equal(
    params['response'],
    digestResponse({
      algorithm: 'MD5',
      username: '441632960123',
      realm: 'pbx',
      password,
      method: 'INVITE',
      uri: params['uri']!,
      nonce: 'n1',
      nc: '00000001',
      cnonce: params['cnonce']!,
    }),
  )
  const unknown = { challenge: 'Digest realm="a", nonce="b", algorithm=AKAv1', random }
  t.equal(answerChallenge({ ...vector, ...unknown }), undefined)
  t.equal(answerChallenge({ ...vector, challenge: 'Basic realm="a"', random }), undefined)
})
