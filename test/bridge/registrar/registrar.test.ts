import t, { type Test } from 'tap'
import { Directory } from '../../../src/bridge/admit/directory.ts'
import { answerChallenge, chooseChallenge } from '../../../src/bridge/digest/answer.ts'
import { NonceSource } from '../../../src/bridge/digest/nonce.ts'
import type { Binding } from '../../../src/bridge/registrar/binding.ts'
import { MOST_CONTACTS } from '../../../src/bridge/registrar/bindings.ts'
import { TRIES, WINDOW } from '../../../src/bridge/registrar/brake.ts'
import { Registrar } from '../../../src/bridge/registrar/registrar.ts'
import { memoryStore, type RegistrationStore } from '../../../src/bridge/registrar/store.ts'
import { createLogger } from '../../../src/shared/log.ts'
import { Notices } from '../../../src/shared/notices.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { labConfig } from '../../support/bridge-lab.ts'
import { trunkConfig } from '../../support/configs.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { FakeRequest } from '../../support/fake-sip-port.ts'

const trunk = trunkConfig({
  targets: [],
  accept: { from: [], username: 'pbx', password: new Secret('pw'), registrations: true },
})

interface Ask {
  contact?: string
  expires?: string
  headers?: Record<string, string>
  callId?: string
  cseq?: number
  password?: string
  username?: string
  to?: string
  from?: Partial<Pick<FakeRequest, 'sourceAddress' | 'sourcePort' | 'transport'>>
}

/** A registrar by hand; every REGISTER brings fresh credentials unless they are given. */
function lab(store: RegistrationStore = memoryStore(new FakeRandom()), clock = new FakeClock()) {
  const nonces = new NonceSource(clock, new FakeRandom())
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line).msg) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  let directory = new Directory(labConfig({ trunks: [trunk] }), labConfig().sip.listen)
  const notices = new Notices(log, clock)
  const registrar = new Registrar(store, {
    clock,
    log,
    notices,
    nonces,
    directory: () => directory,
  })
  registrar.start()
  let cseq = 0
  const bare = (ask: Ask, authorization?: string): FakeRequest => {
    const request = new FakeRequest('REGISTER', {
      uri: 'sip:sip.example.com',
      sourceAddress: '10.0.0.9',
      transport: 'udp',
      ...ask.from,
      headers: {
        to: ask.to ?? '<sip:pbx@sip.example.com>',
        'call-id': ask.callId ?? 'c1',
        cseq: `${ask.cseq ?? ++cseq} REGISTER`,
        ...(ask.contact === undefined ? {} : { contact: ask.contact }),
        ...(ask.expires === undefined ? {} : { expires: ask.expires }),
        ...ask.headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
    })
    registrar.onRegister(request)
    return request
  }
  const credentials = (challenge: string, { password = 'pw', username = 'pbx' }: Ask): string =>
    answerChallenge(
      chooseChallenge({ www: challenge, proxy: undefined })!,
      { username, password: new Secret(password) },
      { method: 'REGISTER', uri: 'sip:sip.example.com', count: 1, cnonce: 'c' },
    )
  const register = (ask: Ask = {}) => {
    const challenge = bare(ask).last?.lines?.['WWW-Authenticate']?.[0]
    return challenge === undefined ? undefined : bare(ask, credentials(challenge, ask)).last!
  }
  const uris = () => registrar.targets(trunk).map(({ uri }) => uri)
  return {
    bare,
    clock,
    lines,
    register,
    registrar,
    uris,
    reconfigure(change: Parameters<typeof labConfig>[0]) {
      directory = new Directory(labConfig(change), labConfig().sip.listen)
      registrar.reconfigured()
    },
  }
}

t.test('without credentials: a challenge for each algorithm', async (t) => {
  const { bare } = lab()
  const { last } = bare({ contact: '<sip:a@10.0.0.9>' })
  t.equal(last?.status, 401)
  const values = last?.lines?.['WWW-Authenticate'] ?? []
  t.same(
    values.map((value) => /realm="([^"]+)".*algorithm=([\w-]+)/.exec(value)?.slice(1)),
    [
      ['sip.example.com', 'SHA-256'],
      ['sip.example.com', 'MD5'],
    ],
  )
})

const lifetimes: [asked: Ask, status: number, expires: number | undefined][] = [
  [{ contact: '<sip:a@10.0.0.9>' }, 200, 3600],
  [{ contact: '<sip:a@10.0.0.9>', expires: '120' }, 200, 120],
  [{ contact: '<sip:a@10.0.0.9>;expires=90', expires: '120' }, 200, 90],
  [{ contact: '<sip:a@10.0.0.9>;expires=60' }, 200, 60],
  [{ contact: '<sip:a@10.0.0.9>;expires=4294967295' }, 200, 3600],
  [{ contact: '<sip:a@10.0.0.9>;expires=nonsense' }, 200, 3600],
  [{ contact: '<sip:a@10.0.0.9>', from: { transport: 'tcp' } }, 200, 1200],
  [{ contact: '<sip:a@10.0.0.9>;expires=59' }, 423, undefined],
  [{ contact: '<sip:a@10.0.0.9>;expires=0' }, 200, undefined],
  [{}, 200, undefined],
  [{ contact: '*', expires: '0' }, 200, undefined],
  [{ contact: '*' }, 400, undefined],
  [{ contact: '*', expires: '60' }, 400, undefined],
  [{ contact: '*, <sip:a@10.0.0.9>', expires: '0' }, 400, undefined],
  [{ contact: '<tel:+33199001234>' }, 400, undefined],
  [{ contact: `<sip:${'a'.repeat(600)}@h>` }, 400, undefined],
  [{ contact: '<sip:a@10.0.0.9:0>' }, 400, undefined],
  [{ contact: '<sip:a@10.0.0.9:99999>' }, 400, undefined],
  [{ contact: '<sip:a@10.0.0.9;transport=ws>' }, 400, undefined],
  [{ contact: '<sip:a@b,c>' }, 400, undefined],
  [{ contact: '<sip:a@10.0.0.9;x="y">' }, 400, undefined],
  [{ contact: '<sip:a@[:::::]>' }, 400, undefined],
  [{ contact: '<sip:a@[2001:db8::9]>' }, 200, 3600],
  [{ contact: '"A > ; , \\" B" <sip:a@10.0.0.9;lr>;expires=61' }, 200, 61],
  [{ contact: '<sip:a@10.0.0.9>', headers: { cseq: 'x' } }, 400, undefined],
  [{ contact: '<sip:a@10.0.0.9>', to: '<sip:other@sip.example.com>' }, 404, undefined],
  [{ contact: '<sip:a@10.0.0.9>', to: '<sip:pbx@10.0.0.5>' }, 200, 3600],
  [{ contact: '<sip:a@10.0.0.9>', password: 'no' }, 403, undefined],
  [{ contact: '<sip:a@10.0.0.9>', username: 'nobody' }, 403, undefined],
]

for (const [asked, status, expires] of lifetimes) {
  t.test(`${status} to ${JSON.stringify(asked)}`, async (t) => {
    const { register, registrar } = lab()
    const answer = register(asked)!
    t.equal(answer.status, status)
    t.equal(
      Number(/expires=(\d+)/.exec(answer.headers?.['Contact'] ?? '')?.[1]) || undefined,
      expires,
    )
    t.equal(registrar.targets(trunk).length > 0, expires !== undefined)
    if (status === 423) t.equal(answer.headers?.['Min-Expires'], '60')
    if (status > 400) t.match(answer.headers?.['Warning'], /TRUNK_REGISTRAR_/)
  })
}

t.test('an extension that is required and not offered', async (t) => {
  const { bare } = lab()
  const { last } = bare({ headers: { require: 'path, gruu' } })
  t.equal(last?.status, 420)
  t.equal(last?.headers?.['Unsupported'], 'gruu')
})

t.test('several contacts: by preference, then the newest; the same one is renewed', async (t) => {
  const { clock, register, uris, lines } = lab()
  register({ contact: '<sip:low@10.0.0.9>;q=0.1, <sip:high@10.0.0.9>;q=0.9' })
  clock.advance(1000)
  register({ contact: '<sip:new@10.0.0.9>;q=0.9', callId: 'c2' })
  t.same(uris(), ['sip:new@10.0.0.9', 'sip:high@10.0.0.9', 'sip:low@10.0.0.9'])
  const answer = register({ contact: '<sip:low@10.0.0.9>;q=1' })
  t.same(uris()[0], 'sip:low@10.0.0.9')
  t.match(answer?.headers?.['Contact'], /^<sip:low@10\.0\.0\.9>;expires=3600, <sip:new.*;q=0\.9/)
  t.same(lines, ['PBX registered', 'PBX registered', 'PBX registered'], 'each once')
  register({ contact: '<sip:new@10.0.0.9>;expires=0' })
  t.same(uris(), ['sip:low@10.0.0.9', 'sip:high@10.0.0.9'])
  register({ contact: '*', expires: '0' })
  t.same(uris(), [])
})

t.test('a contact that is named twice: the later counts', async (t) => {
  const { lines, register, registrar, uris } = lab()
  const twice = '<sip:a@10.0.0.9;x=1>;expires=100, <sip:a@10.0.0.9;x=2>;expires=200'
  t.equal(register({ contact: twice })?.status, 200)
  t.equal(register({ contact: twice })?.status, 200, 'and again')
  t.same(uris(), ['sip:a@10.0.0.9;x=2'])
  t.equal(registrar.status()[0]?.contacts.length, 1)
  t.equal(register({ contact: '<sip:a@10.0.0.9>, <sip:a@10.0.0.9>;expires=0' })?.status, 200)
  t.same(uris(), [])
  t.same(lines, ['PBX registered', 'PBX unregistered'])
})

t.test('an older REGISTER changes nothing, one of another Call-ID does', async (t) => {
  const { register, uris } = lab()
  register({ contact: '<sip:a@10.0.0.9>', cseq: 10 })
  const old = register({ contact: '<sip:b@10.0.0.9>, <sip:a@10.0.0.9>;expires=0', cseq: 9 })
  t.equal(old?.status, 500)
  t.same(uris(), ['sip:a@10.0.0.9'], 'all or nothing')
  t.equal(register({ contact: '*', expires: '0', cseq: 10 })?.status, 500)
  t.equal(register({ contact: '<sip:a@10.0.0.9>;expires=0', cseq: 1, callId: 'c2' })?.status, 200)
  t.same(uris(), [])
})

t.test('a flow of an instance replaces itself, wherever it is now (RFC 5626)', async (t) => {
  const { register, uris } = lab()
  const flow = ';+sip.instance="<urn:uuid:1>";reg-id=1'
  register({ contact: `<sip:a@10.0.0.9:1111>${flow}` })
  register({ contact: `<sip:a@10.0.0.9:2222>${flow}` })
  register({ contact: '<sip:a@10.0.0.9:3333>;+sip.instance="<urn:uuid:1>";reg-id=2' })
  t.same(uris().length, 2)
  t.notOk(uris().includes('sip:a@10.0.0.9:1111'))
  const answer = register({
    contact: `<sip:a@10.0.0.9:2222;transport=tcp>${flow}`,
    headers: { supported: 'outbound' },
    from: { transport: 'tcp' },
  })
  t.match(answer?.headers, { Require: 'outbound', 'Flow-Timer': '120' })
})

t.test('a flow ends with its connection, what else was registered does not', async (t) => {
  const { register, registrar, uris, lines, clock } = lab()
  const tcp = { headers: { supported: 'outbound' }, from: { transport: 'tcp', sourcePort: 1111 } }
  const flow = ';+sip.instance="<urn:uuid:1>";reg-id=1'
  register({ contact: `<sip:a@10.0.0.9;transport=tcp>${flow}`, callId: 'a', cseq: 1, ...tcp })
  register({ contact: '<sip:b@10.0.0.9;transport=tcp>', callId: 'b', cseq: 1, ...tcp })
  const end = (callId: string, cseq: number): void =>
    registrar.flowEnded({ why: 'silent', sent: [], received: [{ callId, cseq }] })
  end('a', 2)
  end('b', 1)
  end('c', 1)
  t.equal(uris().length, 4, 'each by its connection, and at its address')
  end('a', 1)
  t.ok(uris().every((uri) => uri.startsWith('sip:b@')))
  t.same(lines.splice(0).slice(2), ['the connection of the PBX has ended'])
  const again = { contact: `<sip:a@10.0.0.9;transport=tcp>${flow}`, callId: 'a' }
  register({ ...again, cseq: 2, ...tcp })
  register({ ...again, cseq: 3, ...tcp, from: { transport: 'tcp', sourcePort: 2222 } })
  end('a', 2)
  t.equal(uris().length, 4, 'it is registered over another connection by now')
  clock.advance(1_200_000)
  t.equal(clock.pending, 0)
})

t.test('a contact too many', async (t) => {
  const { register, uris } = lab()
  for (let index = 0; index < MOST_CONTACTS; index++)
    register({ contact: `<sip:${index}@10.0.0.9>` })
  const answer = register({ contact: '<sip:more@10.0.0.9>' })
  t.equal(answer?.status, 403)
  t.match(answer?.headers?.['Warning'], /TRUNK_REGISTRAR_CONTACTS_FULL/)
  t.equal(uris().length, MOST_CONTACTS)
  t.equal(register({ contact: '<sip:0@10.0.0.9>' })?.status, 200, 'the known ones are renewed')
})

t.test('what runs out is told once', async (t) => {
  const { clock, register, registrar, lines } = lab()
  register({ contact: '<sip:a@10.0.0.9>;expires=60' })
  clock.advance(59_000)
  t.equal(registrar.absence(trunk), undefined)
  clock.advance(1000)
  t.match(registrar.absence(trunk), /the PBX of trunk main is not registered/)
  t.same(lines, ['PBX registered', 'registration of the PBX has run out'])
  t.equal(clock.pending, 0)
})

t.test('a clock that is set ends no contact and prolongs none', async (t) => {
  for (const jump of [86_400_000, -86_400_000]) {
    const { clock, register, uris } = lab()
    register({ contact: '<sip:a@10.0.0.9>;expires=600' })
    clock.jump(jump)
    clock.advance(300_000)
    t.same(uris(), ['sip:a@10.0.0.9'])
    t.match(register({})?.headers?.['Contact'], /expires=300$/)
    clock.advance(300_000)
    t.same(uris(), [])
    t.equal(clock.pending, 0)
  }
})

t.test('a nonce that is too old is asked for again, and counts for nothing', async (t) => {
  const { bare, clock, register } = lab()
  const challenge = bare({}).last!.lines!['WWW-Authenticate']![0]!
  clock.advance(61_000)
  const value = answerChallenge(
    chooseChallenge({ www: challenge, proxy: undefined })!,
    { username: 'pbx', password: new Secret('pw') },
    { method: 'REGISTER', uri: 'sip:x', count: 1, cnonce: 'c' },
  )
  const { last } = bare({}, value)
  t.equal(last?.status, 401)
  t.match(last?.lines?.['WWW-Authenticate']?.[1], /stale=true/)
  t.equal(register()?.status, 200)
})

t.test('who guesses is refused without a look, for a minute', async (t) => {
  const { bare, clock, register, registrar } = lab()
  for (let tries = 0; tries < TRIES; tries++) {
    t.equal(register({ password: `guess ${tries}` })?.status, 403)
  }
  const { last } = bare({})
  t.equal(last?.status, 403, 'not even a challenge')
  t.match(last?.headers?.['Warning'], /TRUNK_REGISTRAR_SOURCE_BRAKED/)
  t.equal(register({ from: { sourceAddress: '10.0.0.10' } })?.status, 200, 'others are heard')
  clock.advance(WINDOW)
  t.equal(register()?.status, 200)
  t.match(
    registrar.counts().find(({ result }) => result === 'TRUNK_REGISTRAR_CREDENTIALS_WRONG'),
    { trunk: 'main', count: TRIES },
  )
})

t.test('calls from where a contact registered are the trunk’s, from elsewhere not', async (t) => {
  const { clock, register, registrar } = lab()
  register({ contact: '<sip:a@192.168.1.2>;expires=60', from: { sourcePort: 4711 } })
  const at = (options: Partial<FakeRequest>): string | undefined =>
    registrar.trunkAt(new FakeRequest('INVITE', { sourceAddress: '10.0.0.9', ...options }))
  t.equal(at({ sourcePort: 4711, transport: 'udp' }), 'main')
  t.equal(at({ sourcePort: 4711, transport: 'UDP' }), 'main')
  t.equal(at({ sourcePort: 4712, transport: 'udp' }), undefined)
  t.equal(at({ sourcePort: 4711, transport: 'tcp' }), undefined)
  t.equal(at({ sourcePort: 4711, transport: 'udp', sourceAddress: '10.0.0.8' }), undefined)
  clock.advance(60_000)
  t.equal(at({ sourcePort: 4711, transport: 'udp' }), undefined, 'no longer')
})

t.test('two trunks of one PBX, or a proxy on the Path: the source does not tell', async (t) => {
  const second = trunkConfig({
    ...trunk,
    name: 'second',
    accept: { ...trunk.accept, username: 'pbx2' },
  })
  const { reconfigure, register, registrar } = lab()
  reconfigure({ trunks: [trunk, second] })
  const at = (sourcePort: number): string | undefined =>
    registrar.trunkAt(
      new FakeRequest('INVITE', { sourceAddress: '10.0.0.9', sourcePort, transport: 'udp' }),
    )
  register({ contact: '<sip:a@10.0.0.9>', from: { sourcePort: 5060 } })
  t.equal(at(5060), 'main')
  const other = { username: 'pbx2', to: '<sip:pbx2@sip.example.com>', callId: 'c2' }
  register({ ...other, contact: '<sip:b@10.0.0.9>', from: { sourcePort: 5060 } })
  t.equal(registrar.targets(second).length, 1)
  t.equal(at(5060), undefined, 'the digest has to')
  register({ ...other, contact: '<sip:b@10.0.0.9>;expires=0', from: { sourcePort: 5060 } })
  t.equal(at(5060), 'main')
  const headers = { path: '<sip:edge.example;lr>' }
  register({ contact: '<sip:p@10.0.0.7>', from: { sourcePort: 5090 }, headers })
  t.equal(at(5090), undefined, 'others may call through the proxy')
})

t.test('contacts are there after a restart, but for those that ran out', async (t) => {
  const kept = new Map<string, readonly Binding[]>()
  const store: RegistrationStore = {
    ...memoryStore(new FakeRandom()),
    load: () => new Map([...kept].map(([name, list]) => [name, [...list]])),
    save: (name, list) => void kept.set(name, list),
  }
  const before = lab(store)
  before.register({ contact: '<sip:a@10.0.0.9>;expires=60, <sip:b@10.0.0.9>;expires=600' })
  before.registrar.stop()
  before.clock.advance(61_000)
  const after = lab(store, before.clock)
  t.same(after.uris(), ['sip:b@10.0.0.9'])
  t.equal(kept.get('main')?.length, 1)
})

t.test('a reload that takes no registrations any more forgets them', async (t: Test) => {
  const { bare, clock, reconfigure, register, registrar } = lab()
  register({ contact: '<sip:a@10.0.0.9>' })
  const accept = { ...trunk.accept, registrations: false }
  reconfigure({ trunks: [{ ...trunk, accept }] })
  t.same(registrar.status(), [])
  t.equal(bare({}).last, undefined, 'a REGISTER is for nobody')
  t.equal(clock.pending, 0)
})

t.test('a reload that changes the account ends what was registered with the old one', async (t) => {
  const { reconfigure, register, uris } = lab()
  register({ contact: '<sip:a@10.0.0.9>' })
  reconfigure({ trunks: [{ ...trunk, redirects: 'off' }] })
  t.same(uris(), ['sip:a@10.0.0.9'], 'anything else leaves it alone')
  reconfigure({ trunks: [{ ...trunk, accept: { ...trunk.accept, password: new Secret('new') } }] })
  t.same(uris(), [])
})
