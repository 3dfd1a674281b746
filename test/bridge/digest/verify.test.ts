import t from 'tap'
import { answerChallenge, chooseChallenge } from '../../../src/bridge/digest/answer.ts'
import { challengeValue } from '../../../src/bridge/digest/challenge.ts'
import { NONCE_LIFE, NonceSource } from '../../../src/bridge/digest/nonce.ts'
import { NonceCache, REUSE_LIFE } from '../../../src/bridge/digest/nonce-cache.ts'
import { credentialsFor, type Verdict, verify } from '../../../src/bridge/digest/verify.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const realm = 'sip.example.com'
const password = new Secret('pw')
const account = { usernames: ['441632960123', '+441632960123'], password }

function setup(capacity?: number) {
  const clock = new FakeClock()
  const nonces = new NonceSource(clock, new FakeRandom(), capacity)
  const ask = () => chooseChallenge({ www: undefined, proxy: challengeValue(nonces, realm) })!
  const answer = (challenge: ReturnType<typeof ask>, count = 1, secret = password) =>
    answerChallenge(
      challenge,
      { username: '441632960123', password: secret },
      {
        method: 'INVITE',
        uri: 'sip:+441632960123@sip.example.com',
        count,
        cnonce: 'abc',
      },
    )
  const check = (value: string): Verdict =>
    verify(credentialsFor(realm, undefined, value)!, account, 'INVITE', nonces)
  return { clock, nonces, ask, answer, check }
}

t.test('an answer to our challenge is good once', async (t) => {
  const { ask, answer, check, nonces } = setup()
  const challenge = ask()
  t.equal(check(answer(challenge)), 'good')
  t.equal(check(answer(challenge)), 'stale', 'the same nc is a replay')
  t.equal(check(answer(challenge, 3)), 'good')
  t.equal(check(answer(challenge, 2)), 'stale', 'nc only grows')
  t.equal(nonces.remembered, 1)
})

t.test('wrong and foreign answers', async (t) => {
  const { ask, answer, check, nonces } = setup()
  t.equal(check(answer(ask(), 1, new Secret('other'))), 'wrong')
  t.equal(check(answer(ask()).replace('username="44', 'username="45')), 'wrong')
  t.equal(check(answer(ask()).replace('qop=auth', 'qop=auth-int')), 'wrong')
  t.equal(check(answer(ask()).replace('algorithm=MD5', 'algorithm=ROT13')), 'wrong')
  t.equal(check(answer(ask()).replace('nc=00000001', 'nc=zz')), 'wrong')
  t.equal(check(answer({ ...ask(), nonce: 'made.up.nonce' })), 'stale')
  t.equal(check(answer({ ...ask(), nonce: '' })), 'stale')
  t.equal(nonces.remembered, 0, 'nothing is kept for those who fail')
})

t.test('credentials for another realm, or none', async (t) => {
  const { ask, answer } = setup()
  t.equal(credentialsFor('other', answer(ask())), undefined)
  t.equal(credentialsFor(realm, undefined, 'Digest realm="sip.example.com"'), undefined)
  t.ok(credentialsFor(realm, answer(ask()), undefined), 'either header serves')
})

t.test('a nonce ages', async (t) => {
  const { clock, ask, answer, check } = setup()
  const challenge = ask()
  clock.advance(NONCE_LIFE)
  t.equal(check(answer(challenge)), 'good')
  clock.advance(1)
  t.equal(check(answer(challenge, 2)), 'stale')
})

t.test('a clock that is set neither ages a nonce nor makes it younger', async (t) => {
  for (const jump of [3_600_000, -3_600_000]) {
    const { clock, ask, answer, check } = setup()
    const challenge = ask()
    clock.jump(jump)
    t.equal(check(answer(challenge)), 'good')
    clock.advance(NONCE_LIFE + 1)
    t.equal(check(answer(challenge, 2)), 'stale')
  }
})

t.test('a nonce belongs to its realm', async (t) => {
  const { nonces } = setup()
  const nonce = nonces.issue(realm)
  t.equal(nonces.check(realm, nonce), 'good')
  t.equal(nonces.check('other', nonce), 'foreign')
})

t.test('memory is bounded without opening a replay', async (t) => {
  const { clock, ask, answer, check, nonces } = setup(3)
  const first = ask()
  t.equal(check(answer(first)), 'good')
  for (let i = 0; i < 5; i++) {
    clock.advance(10)
    t.equal(check(answer(ask())), 'good')
    t.ok(nonces.remembered <= 3)
  }
  t.equal(check(answer(first)), 'stale', 'forgotten, yet not good again')
})

t.test('expired nonces are forgotten', async (t) => {
  const { clock, ask, answer, check, nonces } = setup()
  for (let i = 0; i < 10; i++) t.equal(check(answer(ask())), 'good')
  clock.advance(NONCE_LIFE + 1)
  t.equal(check(answer(ask())), 'good')
  t.equal(nonces.remembered, 1)
})

t.test('a server nonce is used again with a growing count, for a while', async (t) => {
  const clock = new FakeClock()
  const cache = new NonceCache(clock)
  const challenge = chooseChallenge({
    www: undefined,
    proxy: 'Digest realm="wa.meta.vc",nonce="n1",qop="auth"',
  })!
  t.equal(cache.reuse('support'), undefined)
  cache.store('support', challenge)
  t.match(cache.reuse('support'), { challenge, count: 2 })
  t.match(cache.reuse('support'), { challenge, count: 3 })
  t.equal(cache.reuse('sales'), undefined)
  cache.drop('support', 'another')
  t.ok(cache.reuse('support'))
  cache.drop('support', 'n1')
  t.equal(cache.reuse('support'), undefined)
  cache.store('support', challenge)
  clock.advance(REUSE_LIFE + 1)
  t.equal(cache.reuse('support'), undefined)
  cache.store('support', { ...challenge, qop: undefined })
  t.equal(cache.reuse('support'), undefined, 'without qop there is no count')
})
