import t from 'tap'
import { ConfigErrors, loadConfig, META_PREFIXES, parseConfig } from '../../src/config/index.ts'
import { isCausewayError } from '../../src/shared/errors/index.ts'
import { configOf, edit, issuesOf, VALID } from '../support/config-file.ts'

t.test('a small file gives a full configuration, defaults filled in', async (t) => {
  const config = configOf(VALID)
  t.match(config, {
    file: '/etc/causeway/c.yaml',
    sip: {
      domain: 'sip.example.com',
      listen: {
        whatsapp: { transport: 'tls', host: '0.0.0.0', port: 5061 },
        pbx: [{ transport: 'udp', host: '10.0.0.5', port: 5060 }],
      },
      tls: { cert: '/etc/causeway/tls/cert.pem', key: '/etc/causeway/tls/key.pem' },
      server: { kind: 'embedded' },
    },
    media: { relay: 'none', rtpengine: [], ports: { min: 20_000, max: 29_999 } },
    whatsapp: {
      provider: 'meta',
      graphUrl: 'https://graph.facebook.com',
      graphVersion: 'v24.0',
      sipDomain: 'wa.meta.vc',
      sipProxy: 'sip:wa.meta.vc:5061;transport=tls',
      challenge: true,
      checkInterval: 900_000,
      credentialsInterval: 43_200_000,
    },
    limits: { calls: 1000, callsPerNumber: 1000, invitesPerSecond: 100 },
    http: { listen: { host: '127.0.0.1', port: 8080 } },
    records: { path: '/etc/causeway/data' },
    log: { level: 'info', numbers: 'full' },
  })
  t.same(config.whatsapp.sources, META_PREFIXES)
  t.equal(config.sip.externalAddress, undefined)
  t.equal(config.http.token, undefined)
  t.same(issuesOf(VALID), { errors: [], warnings: [] })
})

t.test('a number and a trunk get their defaults', async (t) => {
  const { numbers, trunks } = configOf(VALID)
  t.match(numbers[0]!, {
    phoneNumber: '+441632960123',
    phoneNumberId: '106540352242922',
    manage: 'apply',
    calling: { srtp_key_exchange_protocol: 'SDES', sip: { status: 'ENABLED', port: 5061 } },
    inbound: { trunk: 'main', to: '{business}', from: '{caller}', ringTimeout: 45_000 },
  })
  t.equal(numbers[0]!.accessToken?.reveal(), 'token-of-support')
  t.match(trunks[0]!, {
    targets: [
      {
        uri: 'sip:10.0.0.9:5060',
        host: '10.0.0.9',
        port: 5060,
        transport: 'udp',
        weight: 1,
        priority: 0,
      },
    ],
    media: { srtp: 'sdes', codecs: ['opus', 'PCMA', 'PCMU'], dtmf: 'rfc4733' },
    tls: undefined,
    options: { interval: 0, timeout: 4000, downAfter: 2, upAfter: 1 },
    failover: { timeout: 5000 },
    redirects: 'own',
    limits: undefined,
    outbound: { number: 'support', to: '{dialed}' },
  })
})

t.test(
  'a trunk accepts its targets by default, and nobody else once it names somebody',
  async (t) => {
    const from = (accept: string): string[] =>
      configOf(edit(['    media: { srtp', `${accept}    media: { srtp`])).trunks[0]!.accept.from
    t.same(from(''), ['10.0.0.9/32'])
    t.same(from('    accept: { from: [10.1.0.0/16, 10.2.0.1, "2001:db8::/32"] }\n'), [
      '10.1.0.0/16',
      '10.2.0.1/32',
      '2001:db8::/32',
    ])
    t.same(from('    accept: { username: pbx, password: in }\n'), [])
  },
)

t.test('values that depend on others', async (t) => {
  const port = edit(['0.0.0.0:5061', '0.0.0.0:15061'])
  t.equal(configOf(port).numbers[0]!.calling.sip?.port, 15_061)
  const lab = `${VALID}whatsapp: { sip_domain: lab.example.com, sources: any }\n`
  t.equal(configOf(lab).whatsapp.sipProxy, 'sip:lab.example.com:5061;transport=tls')
  t.equal(configOf(lab).whatsapp.sources, 'any')
  const dialog = `${VALID}whatsapp: { provider: 360dialog }\n`
  t.equal(configOf(dialog).whatsapp.graphUrl, 'https://waba-v2.360dialog.io')
  const unmanaged = edit(['access_token: token-of-support', 'sip_password: bypass'])
  t.equal(configOf(unmanaged).numbers[0]!.manage, 'off')
})

t.test('the drachtio address gives host, port and secret', async (t) => {
  const text = edit(['  listen:', '  server: "drachtio://:p@ss:w/rd@[::1]:9022"\n  listen:'])
  const { server } = configOf(text).sip
  t.match(server, { kind: 'drachtio', host: '::1', port: 9022 })
  t.equal(server.kind === 'drachtio' && server.secret.reveal(), 'p@ss:w/rd')
})

t.test('codecs take the names PBX people use and come out canonical', async (t) => {
  const text = edit(['{ srtp: sdes }', '{ srtp: sdes, codecs: [OPUS, alaw, PCMU, g722] }'])
  t.same(configOf(text).trunks[0]!.media.codecs, ['opus', 'PCMA', 'PCMU', 'G722'])
})

t.test('an empty section counts as absent, anchors and merge keys work', async (t) => {
  t.equal(configOf(`${VALID}limits:\n  # calls: 10\n`).limits.calls, 1000)
  const text = edit(
    ['    media: { srtp: sdes }', '    media: &media { srtp: sdes, dtmf: rfc4733 }'],
    [
      '    outbound: { number: support }\n',
      '    outbound: { number: support }\n  - name: spare\n    targets: ["sip:10.0.0.10"]\n    media: { <<: *media, codecs: [opus] }\n',
    ],
  )
  t.match(configOf(text).trunks[1]!.media, { srtp: 'sdes', codecs: ['opus'] })
})

t.test('a file that cannot be read is an error of its own', async (t) => {
  const readFile = (): string => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  }
  try {
    loadConfig('/nowhere/c.yaml', { readFile, env: {} })
    t.fail('it should throw')
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
    const [only] = error.errors
    t.ok(isCausewayError(only))
    t.match(only, {
      code: 'CONFIG_FILE_UNREADABLE',
      detail: 'there is no such file',
      place: '/nowhere/c.yaml',
    })
    t.match(error.message, /CONFIG_FILE_UNREADABLE/)
  }
})

t.test('an empty file misses its sections, and says so in one go', async (t) => {
  for (const text of ['', '# nothing\n', '{}\n']) {
    t.equal(issuesOf(text).errors[0]?.code, 'CONFIG_MISSING_KEY')
  }
  t.throws(() => parseConfig('- a\n- b\n', { env: {} }), /CONFIG_WRONG_TYPE/)
})
