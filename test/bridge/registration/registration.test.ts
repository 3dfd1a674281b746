import t from 'tap'
import { registrationLab as lab, only } from '../../support/registration-lab.ts'

t.test('renewed before it ends, with rising CSeq under one Call-ID, and told once', async (t) => {
  const { clock, registration, next, quiet, grant, told } = lab(t, only)
  registration.renew()
  const first = next()
  t.equal(first.header('expires'), '300')
  grant(first, 120)
  t.match(registration.status(), { state: 'registered', expiresAt: clock.now() + 120_000 })
  for (let count = 2; count < 5; count++) {
    clock.advance(89_000)
    quiet('not yet')
    clock.advance(14_000)
    const again = next()
    t.equal(again.header('call-id'), first.header('call-id'))
    t.equal(again.header('cseq'), `${count} REGISTER`)
    grant(again, 120)
  }
  t.same(told(), ['registered with the PBX'], 'once')
  const stopped = registration.stop()
  const last = next()
  t.equal(last.header('expires'), '0')
  last.respond(200)
  await stopped
  t.equal(clock.pending, 0)
})

t.test('a 423 asks again for what the registrar wants', async (t) => {
  const { registration, next, grant } = lab(t, only)
  registration.renew()
  next().respond(423, 'Interval Too Brief', { headers: { 'min-expires': '1800' } })
  const again = next()
  t.equal(again.header('expires'), '1800')
  t.match(again.header('contact'), /expires=1800$/)
  grant(again, 1800)
  t.equal(registration.status().state, 'registered')
})

t.test('a 423 that asks for nothing more is a failure, not a loop', async (t) => {
  const { registration, next, quiet, told } = lab(t, only)
  registration.renew()
  next().respond(423, 'Interval Too Brief', { headers: { 'min-expires': '300' } })
  quiet('not again')
  t.equal(registration.status().state, 'refused')
  t.same(told(), ['TRUNK_REGISTER_REFUSED'])
})

t.test('a 423 that asks for longer than a week is not obeyed', async (t) => {
  const { registration, next, quiet } = lab(t, only)
  registration.renew()
  next().respond(423, 'Interval Too Brief', { headers: { 'min-expires': '604801' } })
  quiet('not again')
  t.equal(registration.status().state, 'refused')
})

const DIGEST = 'Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"'

t.test('the nonce is used again; a stale one is replaced, a wrong password refused', async (t) => {
  const { clock, registration, next, quiet, grant, told } = lab(t, only)
  registration.renew()
  next().respond(401, 'Unauthorized', { headers: { 'www-authenticate': DIGEST } })
  const answered = next()
  t.match(answered.header('authorization'), /nonce="n1".*nc=00000001/)
  grant(answered, 100)
  clock.advance(86_000)
  const renewal = next()
  t.match(renewal.header('authorization'), /nonce="n1".*nc=00000002/)
  const stale = DIGEST.replace('n1', 'n2').concat(', stale=true')
  renewal.respond(401, 'Unauthorized', { headers: { 'www-authenticate': stale } })
  const fresh = next()
  t.match(fresh.header('authorization'), /nonce="n2".*nc=00000001/)
  grant(fresh, 100)
  clock.advance(86_000)
  next().respond(401, 'Unauthorized', { headers: { 'www-authenticate': DIGEST } })
  next().respond(401, 'Unauthorized', { headers: { 'www-authenticate': DIGEST } })
  quiet('no third try')
  t.match(registration.status(), {
    state: 'registered',
    error: { code: 'TRUNK_REGISTER_REFUSED', detail: 'sip:10.0.0.9: 401 Unauthorized' },
  })
  t.same(told(), ['registered with the PBX', 'TRUNK_REGISTER_REFUSED'])
  clock.advance(14_000)
  t.equal(registration.status().state, 'refused', 'the lifetime is over')
  t.same(told(), ['TRUNK_REGISTER_REFUSED'], 'it has run out')
})

t.test('a registrar that calls every nonce stale is answered twice, not for ever', async (t) => {
  const { registration, next, quiet } = lab(t, only)
  registration.renew()
  for (const nonce of ['n1', 'n2', 'n3']) {
    const value = `${DIGEST.replace('n1', nonce)}, stale=true`
    next().respond(401, 'Unauthorized', { headers: { 'www-authenticate': value } })
  }
  quiet('no more')
  t.match(registration.status(), { state: 'refused', error: { code: 'TRUNK_REGISTER_REFUSED' } })
})

t.test('a nonce without qop is used once: its answers would repeat', async (t) => {
  const { clock, registration, next, grant } = lab(t, only)
  registration.renew()
  const plain = 'Digest realm="pbx", nonce="n1", algorithm=MD5'
  next().respond(401, 'Unauthorized', { headers: { 'www-authenticate': plain } })
  const answered = next()
  t.match(answered.header('authorization'), 'nonce="n1"')
  grant(answered, 100)
  clock.advance(86_000)
  t.equal(next().header('authorization'), undefined)
})

t.test('a digest that cannot be answered says which it is', async (t) => {
  const { registration, next } = lab(t, only)
  registration.renew()
  const odd = 'Digest realm="pbx", nonce="n", algorithm=SHA-1, qop="auth-int"'
  next().respond(401, 'Unauthorized', { headers: { 'www-authenticate': odd } })
  t.match(registration.status(), {
    state: 'refused',
    error: { code: 'TRUNK_REGISTER_CHALLENGE', detail: /SHA-1, qop auth-int/ },
  })
})

t.test('a refusal is repeated rarely, silence often', async (t) => {
  const refused = lab(t, only)
  refused.registration.renew()
  refused.next().respond(403, 'Forbidden')
  refused.clock.advance(29_000)
  refused.quiet('30 s at least')
  refused.clock.advance(31_000)
  refused.next().respond(403, 'Forbidden')
  refused.clock.advance(59_000)
  refused.quiet('twice as long')
  t.same(refused.told(), ['TRUNK_REGISTER_REFUSED'], 'told once')

  const silent = lab(t, only)
  silent.registration.renew()
  for (let tries = 0; tries < 10; tries++) {
    silent.next().respond(408, 'Request Timeout', { local: true })
    silent.clock.advance(15_000)
  }
  t.same(silent.told(), ['TRUNK_REGISTER_UNREACHABLE'])
  const back = silent.next()
  silent.grant(back, 300)
  t.same(silent.told(), ['registered with the PBX'])
  t.equal(silent.registration.status().error, undefined)
})

t.test('the next registrar takes over, and the first is preferred when it is back', async (t) => {
  const { clock, registration, next, grant } = lab(t)
  registration.renew()
  const first = next()
  t.equal(first.request.uri, 'sip:10.0.0.9')
  first.respond(503, 'Unavailable', { headers: { 'retry-after': '40' } })
  const second = next()
  t.equal(second.request.uri, 'sip:10.0.0.10')
  t.not(second.header('call-id'), first.header('call-id'))
  grant(second, 100)
  t.equal(registration.status().registrar, 'sip:10.0.0.10')
  clock.advance(86_000)
  const again = next()
  t.equal(again.request.uri, 'sip:10.0.0.9')
  grant(again, 100)
  t.equal(registration.status().registrar, 'sip:10.0.0.9')
  const farewell = next()
  t.equal(farewell.request.uri, 'sip:10.0.0.10')
  t.equal(farewell.header('expires'), '0', 'the other one is told')
})

t.test('a silent registrar is not waited for to the end where there is another', async (t) => {
  const { clock, registration, next, quiet, grant } = lab(t)
  registration.renew()
  const silent = next()
  clock.advance(9999)
  quiet('patience')
  clock.advance(1)
  const second = next()
  t.equal(second.request.uri, 'sip:10.0.0.10')
  grant(second, 100)
  silent.respond(200, 'OK', { headers: { expires: '7' } })
  t.match(registration.status(), {
    registrar: 'sip:10.0.0.10',
    attempts: { registered: 1, unreachable: 1 },
  })
  t.equal(clock.pending, 2, 'its renewal and its end, nothing else')
})

t.test('a short registration outlives a preferred registrar that stays silent', async (t) => {
  const { clock, port, registration, next, grant } = lab(t)
  registration.renew()
  next().respond(503, 'Not reached', { local: true })
  grant(next(), 60)
  let held = 0
  for (let second = 0; second < 600; second++) {
    clock.advance(1000)
    if (registration.registered) held++
    // The preferred one never answers.
    while (port.sent.length > 0) {
      const sent = next()
      if (sent.request.uri === 'sip:10.0.0.10') grant(sent, 60)
    }
  }
  t.equal(held, 600, 'seconds')
})

t.test('Retry-After is kept where there is no other registrar', async (t) => {
  const { clock, registration, next, quiet } = lab(t, only)
  registration.renew()
  next().respond(503, 'Unavailable', { headers: { 'retry-after': '120 (booting)' } })
  t.match(registration.status(), { state: 'failed', error: { code: 'TRUNK_REGISTER_FAILED' } })
  clock.advance(119_000)
  quiet('not before')
  clock.advance(14_000)
  next()
})

t.test('without RFC 5626 where the first hop does not have it', async (t) => {
  const { clock, registration, next, grant } = lab(t, only)
  registration.renew()
  const first = next()
  t.match(first.header('contact'), /\+sip\.instance="<urn:uuid:9f2b>";reg-id=1/)
  first.respond(439, 'First Hop Lacks Outbound Support')
  const plain = next()
  t.notMatch(plain.header('contact'), /reg-id/)
  grant(plain, 100)
  clock.advance(86_000)
  t.notMatch(next().header('contact'), /reg-id/, 'it is remembered')
})

t.test('a Flow-Timer of 0 is none: no REGISTER follows at once', async (t) => {
  const { clock, registration, next, quiet, grant } = lab(t, only)
  registration.renew()
  grant(next(), 100, { 'flow-timer': '0' })
  clock.advance(74_000)
  quiet('renewed in its time')
  clock.advance(12_000)
  next()
})

t.test('a registrar that grants nothing has not registered us', async (t) => {
  const { registration, next, quiet } = lab(t, only)
  registration.renew()
  next().respond(200, 'OK', { headers: { expires: '0' } })
  quiet('no loop')
  t.equal(registration.status().state, 'failed')
})

t.test('a lost SIP server: nothing is sent, and all is renewed when it is back', async (t) => {
  const { clock, port, registration, next, quiet, grant } = lab(t, only)
  registration.renew()
  grant(next(), 100)
  port.connected = false
  registration.pause()
  clock.advance(90_000)
  quiet('nobody would take it')
  port.connected = true
  registration.renew()
  grant(next(), 100)
  clock.advance(50_000)
  t.equal(registration.status().state, 'registered', 'the former end of it is no more')
})

t.test('a registrar that does not answer the end of it keeps nobody waiting', async (t) => {
  const { clock, registration, next, grant } = lab(t, only)
  registration.renew()
  grant(next(), 100)
  const stopped = registration.stop()
  t.equal(next().header('expires'), '0')
  clock.advance(2000)
  await stopped
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('what was never registered is not unregistered', async (t) => {
  const { clock, registration, next, quiet } = lab(t, only)
  registration.renew()
  next().respond(503, 'Unavailable')
  await registration.stop()
  quiet('nothing to say')
  t.equal(clock.pending, 0)
})

t.test('a REGISTER that is under way at the end may be granted: it is taken back', async (t) => {
  const { clock, registration, next, quiet, grant } = lab(t, only)
  registration.renew()
  const first = next()
  const stopped = registration.stop()
  grant(first, 300)
  const last = next()
  t.match(last.header('contact'), /;expires=0$/)
  t.equal(last.header('cseq'), '2 REGISTER', 'the later one counts, however they arrive')
  last.respond(200)
  await stopped
  quiet('that was all')
  t.equal(registration.status().state, 'registering', 'its grant is not taken')
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('both registrars are told when one holds it and the other is being asked', async (t) => {
  const { clock, registration, next, grant } = lab(t)
  registration.renew()
  next().respond(503, 'Unavailable')
  grant(next(), 100)
  clock.advance(86_000)
  t.equal(next().request.uri, 'sip:10.0.0.9')
  const stopped = registration.stop()
  const told = [next(), next()]
  t.same(told.map(({ request }) => request.uri).sort(), ['sip:10.0.0.10', 'sip:10.0.0.9'])
  for (const sent of told) {
    t.equal(sent.header('expires'), '0')
    sent.respond(200)
  }
  await stopped
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('a PBX that starts refuses an account it will know in a moment', async (t) => {
  const { clock, registration, next, quiet, grant } = lab(t, only)
  registration.renew()
  grant(next(), 100)
  clock.advance(86_000)
  for (const pause of [5000, 10_000, 20_000]) {
    next().respond(403, 'Forbidden')
    quiet('not at once')
    clock.advance(pause)
  }
  next().respond(403, 'Forbidden')
  clock.advance(59_000)
  quiet('somebody has to look at the account')
  const other = lab(t, only)
  other.registration.renew()
  for (const pause of [1000, 2000, 4000]) {
    other.next().respond(503, 'Not reached', { local: true })
    other.clock.advance(pause)
  }
  other.next().respond(403, 'Forbidden')
  other.clock.advance(60_000)
  t.ok(other.next(), 'the attempts before it was there do not count')
})
