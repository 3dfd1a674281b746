import t from 'tap'
import { contentsOf, generate, PASSWORD, trunkOf } from './support.ts'

interface Section {
  name: string
  settings: Map<string, string>
}

/** Sections of a file as Asterisk reads it: comments go, an escaped semicolon stays. */
function sections(text: string): Section[] {
  const all: Section[] = []
  for (const raw of text.split('\n')) {
    const line = raw
      .replace(/(?<!\\);.*/, '')
      .replaceAll('\\;', ';')
      .trim()
    const [, name] = /^\[([^\]]+)\]$/.exec(line) ?? []
    const [, key, value] = /^(\w+) = (.*)$/.exec(line) ?? []
    if (name !== undefined) all.push({ name, settings: new Map() })
    else if (key !== undefined) all.at(-1)!.settings.set(key, value!)
    else if (line !== '') throw new Error(`neither section nor setting: ${raw}`)
  }
  return all
}

function ofType(all: Section[], type: string): Section {
  const found = all.find(({ settings }) => settings.get('type') === type)
  if (!found) throw new Error(`no ${type}`)
  return found
}

const MODES = ['address', 'causeway-registers', 'pbx-registers'] as const

for (const mode of MODES) {
  t.test(`${mode}: what a section names exists`, async (t) => {
    const made = generate('asterisk', trunkOf(mode))
    const trunk = sections(contentsOf(made, 'pjsip.conf'))
    const transports = sections(contentsOf(made, 'transports.conf'))
    const dialplan = contentsOf(made, 'extensions.conf')
    const names = (type: string): string[] =>
      [...trunk, ...transports]
        .filter(({ settings }) => settings.get('type') === type)
        .map(({ name }) => name)
    for (const { settings } of trunk) {
      for (const [key, type] of [
        ['transport', 'transport'],
        ['aors', 'aor'],
        ['auth', 'auth'],
        ['outbound_auth', 'auth'],
        ['endpoint', 'endpoint'],
      ] as const) {
        const value = settings.get(key)
        if (value !== undefined) t.ok(names(type).includes(value), `${key} = ${value}`)
      }
    }
    const endpoint = ofType(trunk, 'endpoint')
    t.ok(dialplan.includes(`\n[${endpoint.settings.get('context')}]\n`), 'the context exists')
    t.match(dialplan, `Dial(PJSIP/\${ARG1}@${endpoint.name},`)
  })

  t.test(`${mode}: every jump of the dialplan arrives`, async (t) => {
    const dialplan = contentsOf(generate('asterisk', trunkOf(mode)), 'extensions.conf')
    const contexts = new Set([...dialplan.matchAll(/^\[(.+)\]$/gm)].map(([, name]) => name!))
    const jumps = [...dialplan.matchAll(/(?:Gosub|Goto)\(([\w-]+),/g)].map(([, context]) => context)
    t.ok(jumps.length >= 4)
    for (const context of jumps) t.ok(contexts.has(context!), context!)
    for (const line of dialplan.split('\n')) {
      if (line === '' || line.startsWith(';') || line.startsWith('[')) continue
      t.match(line, /^(exten => [^,]+,1,| same => n(\(\w+\))?,)\w+\(.*\)( +;.*)?$/, line)
      t.equal(line.split('(').length, line.split(')').length, line)
    }
  })
}

t.test('by address', async (t) => {
  const trunk = sections(contentsOf(generate('asterisk', trunkOf('address')), 'pjsip.conf'))
  t.match(Object.fromEntries(ofType(trunk, 'endpoint').settings), {
    context: 'from-whatsapp-main',
    allow: 'opus,alaw,ulaw',
    media_encryption: 'sdes',
    dtmf_mode: 'rfc4733',
    direct_media: 'no',
    send_pai: 'yes',
    allow_overlap: 'no',
    identify_by: 'ip',
  })
  t.equal(ofType(trunk, 'aor').settings.get('contact'), 'sip:10.0.0.5:5060')
  t.equal(ofType(trunk, 'identify').settings.get('match'), '10.0.0.5')
  t.throws(() => ofType(trunk, 'auth'), /no auth/)
})

t.test('Causeway registers: everything goes by the name of its account', async (t) => {
  const trunk = sections(
    contentsOf(generate('asterisk', trunkOf('causeway-registers')), 'pjsip.conf'),
  )
  t.equal(ofType(trunk, 'endpoint').name, 'wa')
  const aor = ofType(trunk, 'aor')
  t.match(
    [aor.name, aor.settings.get('max_contacts'), aor.settings.get('contact')],
    ['wa', '1', undefined],
  )
  const auth = ofType(trunk, 'auth')
  t.same([auth.settings.get('username'), auth.settings.get('password')], ['wa', PASSWORD])
})

t.test('Causeway registers from an address nobody knows', async (t) => {
  const config = trunkOf('causeway-registers', ['udp://10.0.0.5:5060', 'udp://0.0.0.0:5060'])
  const text = contentsOf(generate('asterisk', config), 'pjsip.conf')
  t.throws(() => ofType(sections(text), 'identify'), /no identify/)
  t.match(text, /CHECK: .*account[\s\S]*endpoint_identifier_order = ip,username,auth_username/)
})

t.test('two trunks to one Asterisk are told apart by their accounts', async (t) => {
  const config = trunkOf('causeway-registers')
  const [main] = config.trunks
  config.trunks.push({ ...main!, name: 'other' })
  const text = contentsOf(generate('asterisk', config), 'causeway-main.pjsip.conf')
  t.throws(() => ofType(sections(text), 'identify'), /no identify/)
  t.match(text, /CHECK: Another trunk/)
  const byAddress = trunkOf('address')
  byAddress.trunks.push({ ...byAddress.trunks[0]!, name: 'other' })
  t.match(
    generate('asterisk', byAddress).notes.join('\n'),
    /trunk other: another trunk has the same/,
  )
})

t.test('of several listeners the nearest is named', async (t) => {
  const listeners = 'pbx: [udp://192.0.2.1:5060, udp://10.0.0.5:5070, tcp://10.0.0.9:5060]'
  const config = trunkOf('address', ['pbx: [udp://10.0.0.5:5060]', listeners])
  const trunk = sections(contentsOf(generate('asterisk', config), 'pjsip.conf'))
  t.equal(ofType(trunk, 'aor').settings.get('contact'), 'sip:10.0.0.5:5070')
})

t.test('Asterisk registers', async (t) => {
  const made = generate('asterisk', trunkOf('pbx-registers'))
  const trunk = sections(contentsOf(made, 'pjsip.conf'))
  t.match(Object.fromEntries(ofType(trunk, 'registration').settings), {
    server_uri: 'sip:10.0.0.5:5060',
    client_uri: 'sip:pbx@sip.example.com',
    contact_user: 'pbx',
    line: 'yes',
    endpoint: 'causeway-main',
    expiration: '300',
  })
  const auth = ofType(trunk, 'auth')
  t.same(
    [auth.settings.get('username'), auth.settings.get('password'), auth.settings.get('realm')],
    ['pbx', PASSWORD, 'sip.example.com'],
  )
  const transport = ofType(sections(contentsOf(made, 'transports.conf')), 'transport')
  t.equal(transport.settings.get('bind'), '0.0.0.0:5060')
})

t.test(
  'Asterisk registers over the transport that is named, else over one that is safe',
  async (t) => {
    const listeners = 'pbx: [udp://10.0.0.5:5060, tcp://10.0.0.5:5060, tls://10.0.0.5:5063]'
    const uri = (srtp: string, over?: 'tcp'): string | undefined => {
      const config = trunkOf(
        'pbx-registers',
        ['pbx: [udp://10.0.0.5:5060]', listeners],
        ['srtp: sdes', `srtp: ${srtp}`],
      )
      const made = generate('asterisk', config, { over })
      const trunk = sections(contentsOf(made, 'pjsip.conf'))
      return ofType(trunk, 'registration').settings.get('server_uri')
    }
    t.equal(uri('sdes'), 'sip:sip.example.com:5063;transport=tls')
    t.equal(uri('none'), 'sip:10.0.0.5:5060')
    t.equal(uri('none', 'tcp'), 'sip:10.0.0.5:5060;transport=tcp')
  },
)

t.test('transports', async (t) => {
  const tls: [string, string][] = [
    ['pbx: [udp://10.0.0.5:5060]', 'pbx: [udp://10.0.0.5:5060, tls://10.0.0.5:5063]'],
    ['sip:10.0.0.9:5060', 'sip:asterisk.example.com;transport=tls'],
  ]
  const made = generate('asterisk', trunkOf('address', ...tls))
  const transport = ofType(sections(contentsOf(made, 'transports.conf')), 'transport')
  t.match(Object.fromEntries(transport.settings), {
    protocol: 'tls',
    bind: '0.0.0.0:5061',
    method: 'tlsv1_2',
    cert_file: '/etc/asterisk/keys/fullchain.pem',
    verify_server: 'yes',
  })
  const trunk = sections(contentsOf(made, 'pjsip.conf'))
  t.equal(
    ofType(trunk, 'aor').settings.get('contact'),
    'sip:sip.example.com:5063;transport=tls',
    'by the name that is verified',
  )
  t.equal(ofType(trunk, 'identify').settings.get('match'), '10.0.0.5')
  const own = generate('asterisk', trunkOf('address'), { transport: 'transport-udp' })
  t.equal(own.files.length, 2, 'none is written for one that exists')
  const endpoint = ofType(sections(contentsOf(own, 'pjsip.conf')), 'endpoint')
  t.equal(endpoint.settings.get('transport'), 'transport-udp')
})

t.test('several trunks share what they can', async (t) => {
  const config = trunkOf('address')
  const [main] = config.trunks
  const other = (name: string, host: string) => ({
    ...main!,
    name,
    targets: [{ ...main!.targets[0]!, host }],
  })
  config.trunks.push(other('same', '10.0.0.9'), other('second', '10.0.0.10'))
  const made = generate('asterisk', config)
  const transports = sections(contentsOf(made, 'transports.conf'))
  t.same(
    transports.map(({ name, settings }) => `${name} ${settings.get('bind')}`),
    ['causeway-udp 10.0.0.9:5060', 'causeway-udp-2 10.0.0.10:5060'],
  )
  const used = ['main', 'same', 'second'].map((name) =>
    ofType(sections(contentsOf(made, `causeway-${name}.pjsip.conf`)), 'endpoint').settings.get(
      'transport',
    ),
  )
  t.same(used, ['causeway-udp', 'causeway-udp', 'causeway-udp-2'])
})

t.test('media', async (t) => {
  const of = (srtp: string): Map<string, string> => {
    const config = trunkOf('address', ['srtp: sdes', srtp])
    return ofType(sections(contentsOf(generate('asterisk', config), 'pjsip.conf')), 'endpoint')
      .settings
  }
  t.equal(of('srtp: none, codecs: [PCMU, G722]').get('allow'), 'ulaw,g722')
  t.equal(of('srtp: none').get('media_encryption'), 'no')
  t.equal(of('srtp: dtls').get('webrtc'), 'yes')
  t.equal(of('srtp: none, dtmf: info').get('dtmf_mode'), 'info')
})

t.test('the extension is what inbound.to makes of the number', async (t) => {
  const dialplan = (to: string, change = {}): string => {
    const config = trunkOf('address', ['trunk: main', `trunk: main\n      to: "${to}"`])
    return contentsOf(generate('asterisk', config, change), 'extensions.conf')
  }
  t.match(dialplan('{business:digits}'), '\nexten => 441632960123,1,')
  t.match(dialplan('support'), '\nexten => support,1,')
  const open = dialplan('{caller}')
  t.match(open, '\nexten => _+X.,1,')
  t.match(open, '\nexten => _X.,1,Goto(+${EXTEN},1)')
  t.match(dialplan('support', { extension: '1002' }), 'Dial(PJSIP/1002,40)')
  t.match(dialplan('support', { extension: '600@ivr' }), 'Goto(ivr,600,1)')
})

t.test('what a file cannot hold is refused', async (t) => {
  const config = trunkOf('pbx-registers')
  const secret = () => ' blank in front'
  t.throws(() => generate('asterisk', config, { secret }), { code: 'APP_PBX_VALUE' })
  t.throws(() => generate('asterisk', config, { secret: () => 'two\nlines' }), {
    code: 'APP_PBX_VALUE',
  })
})
