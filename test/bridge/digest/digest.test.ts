import t from 'tap'
import { type Algorithm, digestResponse } from '../../../src/bridge/digest/algorithm.ts'
import { answerChallenge, chooseChallenge } from '../../../src/bridge/digest/answer.ts'
import { parseAuth, parseDigests } from '../../../src/bridge/digest/params.ts'
import { Secret } from '../../../src/shared/secret.ts'

const account = {
  username: '441632960123',
  password: new Secret('s3cretS3cretS3cretS3cretS3cret12'),
}
const uri = 'sip:+33199001234@wa.meta.vc;transport=tls'

t.test('vectors of the RFCs and of WhatsApp', async (t) => {
  // RFC 7616 §3.9.1
  const http = {
    session: false,
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    password: 'Circle of Life',
    method: 'GET',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    qop: 'auth',
    nc: '00000001',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  } as const
  t.equal(digestResponse({ ...http, algorithm: 'MD5' }), '8ca523f5e9506fed4657c9700eebdbec')
  t.equal(
    digestResponse({ ...http, algorithm: 'SHA-256' }),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  )
  // RFC 2617 §3.5, and its form without qop
  const old = {
    algorithm: 'MD5',
    session: false,
    username: 'Mufasa',
    realm: 'testrealm@host.com',
    password: 'Circle Of Life',
    method: 'GET',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    nc: '00000001',
    cnonce: '0a4f113b',
  } as const
  t.equal(digestResponse({ ...old, qop: 'auth' }), '6629fae49393a05397450978507c4ef1')
  t.equal(digestResponse({ ...old, qop: undefined }), '670fd8c2df070c60b045671b8b24ff02')
  const whatsapp = {
    session: false,
    username: account.username,
    realm: 'wa.meta.vc',
    password: account.password.reveal(),
    method: 'INVITE',
    uri,
    nonce: '419ac2415577f8e1',
    qop: 'auth',
    nc: '00000001',
    cnonce: '0a4f113b9c27d6e8',
  } as const
  t.equal(digestResponse({ ...whatsapp, algorithm: 'MD5' }), '2915fd5d5136c7cb881c6cbd8da6cd2e')
  t.equal(
    digestResponse({ ...whatsapp, algorithm: 'SHA-256' }),
    '718a560d49be7db6dfe1ccff264cf6b94c035a07a4300d4f95514894f1872610',
  )
})

t.test('the strongest challenge is answered', async (t) => {
  const one = (algorithm: string): string =>
    `Digest realm="wa.meta.vc",nonce="n-${algorithm}",opaque="o",algorithm=${algorithm},qop="auth"`
  const cases: [string[], Algorithm][] = [
    [['MD5'], 'MD5'],
    [['MD5', 'SHA-256'], 'SHA-256'],
    [['SHA-256', 'MD5'], 'SHA-256'],
    [['MD5', 'SHA-512-256', 'SHA-256'], 'SHA-512-256'],
    [['md5', 'SHA-1024'], 'MD5'],
  ]
  for (const [offered, expected] of cases) {
    // drachtio-srf joins repeated headers with a comma.
    const proxy = offered.map(one).join(',')
    const chosen = chooseChallenge({ www: undefined, proxy })
    t.equal(chosen?.algorithm, expected, offered.join())
  }
  t.equal(chooseChallenge({ www: undefined, proxy: one('SHA-1024') }), undefined)
  t.equal(chooseChallenge({ www: undefined, proxy: undefined }), undefined)
  t.equal(chooseChallenge({ www: 'Bearer realm="x"', proxy: undefined }), undefined)
  t.equal(
    chooseChallenge({ www: 'Digest realm="a",nonce="b",qop="auth-int"', proxy: undefined }),
    undefined,
  )
})

t.test('the answer carries what the challenge had', async (t) => {
  const challenge = chooseChallenge({
    www: undefined,
    proxy:
      'Digest realm="wa.meta.vc",nonce="419ac2415577f8e1",opaque="440badfc05072367",algorithm=MD5,qop="auth"',
  })!
  t.equal(challenge.header, 'Proxy-Authorization')
  const use = { method: 'INVITE', uri, count: 1, cnonce: '0a4f113b9c27d6e8' }
  const value = answerChallenge(challenge, account, use)
  const [params] = parseDigests(value)
  t.same(params, {
    username: '441632960123',
    realm: 'wa.meta.vc',
    nonce: '419ac2415577f8e1',
    uri,
    response: '2915fd5d5136c7cb881c6cbd8da6cd2e',
    algorithm: 'MD5',
    cnonce: '0a4f113b9c27d6e8',
    opaque: '440badfc05072367',
    qop: 'auth',
    nc: '00000001',
  })
  t.match(answerChallenge(challenge, account, { ...use, count: 26 }), /nc=0000001a$/)

  const bare = chooseChallenge({ www: 'Digest realm="pbx", nonce="n"', proxy: undefined })!
  const answer = answerChallenge(bare, account, use)
  t.equal(bare.header, 'Authorization')
  t.notMatch(answer, /qop|cnonce|algorithm|opaque/)
})

t.test('auth values', async (t) => {
  t.same(parseAuth('Digest realm="a, \\"b\\"" , nonce=x,Basic realm=c'), [
    { scheme: 'Digest', params: { realm: 'a, "b"', nonce: 'x' } },
    { scheme: 'Basic', params: { realm: 'c' } },
  ])
  for (const bad of ['realm="a"', 'Digest', 'Digest realm="a', 'Digest realm=a b', '=', ',']) {
    t.same(parseAuth(bad), [], bad)
  }
  t.same(parseAuth(`Digest realm="${'x'.repeat(5000)}"`), [])
})
