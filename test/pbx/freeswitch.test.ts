import t from 'tap'
import type { Generated } from '../../src/pbx/index.ts'
import { all, parseXml } from '../support/xml.ts'
import { contentsOf, generate, PASSWORD, trunkOf } from './support.ts'

/** Variables and functions of FreeSWITCH itself, and those of its stock vars.xml. */
const KNOWN = new Set([
  'caller_id_number',
  'destination_number',
  'network_addr',
  'sip_auth_username',
  'originate_disposition',
  'last_bridge_proto_specific_hangup_cause',
  'certs_dir',
  'domain',
])
const FUNCTIONS = new Set(['acl', 'regex', 'sofia_contact'])
const MODES = ['address', 'causeway-registers', 'pbx-registers'] as const

/** The file without comments, as its XML is read. */
const bare = (text: string): string => text.replace(/<!--[\s\S]*?-->/g, '')

/** Names of `${…}` and `$${…}` in a file, of functions `${acl(…)}` too. */
function references(text: string): { global: boolean; name: string; call: boolean }[] {
  return [...bare(text).matchAll(/(\$?)\$\{([\w-]+)(\()?/g)].map(([, dollar, name, call]) => ({
    global: dollar === '$',
    name: name!,
    call: call !== undefined,
  }))
}

function definedIn(text: string): Set<string> {
  const root = parseXml(text)
  const set = [...all(root, 'action'), ...all(root, 'X-PRE-PROCESS')]
    .filter(({ attributes }) =>
      ['set', 'export'].includes(attributes['application'] ?? attributes['cmd'] ?? ''),
    )
    .map(({ attributes }) => attributes['data']!.split('=', 1)[0]!.replace('nolocal:', ''))
  return new Set(set)
}

for (const mode of MODES) {
  for (const srtp of ['none', 'sdes', 'dtls']) {
    const config = trunkOf(mode, ['srtp: sdes', `srtp: ${srtp}`])
    t.test(`${mode}, ${srtp}: well-formed, and every variable is defined`, async (t) => {
      for (const { name, contents } of generate('freeswitch', config).files) {
        t.equal(parseXml(contents).name, 'include', name)
        const defined = definedIn(contents)
        for (const { name: variable, call } of references(contents)) {
          const known = call ? FUNCTIONS : KNOWN
          const header = /^sip_h_X-WhatsApp-[\w-]+$/.test(variable)
          t.ok(known.has(variable) || defined.has(variable) || header, `${name}: ${variable}`)
        }
        t.notMatch(contents.match(/<!--[\s\S]*?-->/g)?.join() ?? '', /x-pre-process/i, name)
      }
    })
  }

  t.test(`${mode}: names are the same in every file`, async (t) => {
    const made = generate('freeswitch', trunkOf(mode))
    const text = made.files.map(({ contents }) => bare(contents)).join('\n')
    const gateways = all(parseXml(`<x>${text}</x>`), 'gateway').map((one) => one.attributes['name'])
    const lists = all(parseXml(`<x>${text}</x>`), 'list').map((one) => one.attributes['name'])
    for (const [, name] of text.matchAll(/sofia\/gateway\/([\w-]+)\//g)) {
      t.ok(gateways.includes(name), name!)
    }
    for (const [, name] of text.matchAll(/\$\{acl\(\$\{network_addr\} ([\w-]+)\)/g)) {
      t.ok(lists.includes(name), name!)
    }
    const users = all(parseXml(`<x>${text}</x>`), 'user').map((one) => one.attributes['id'])
    t.same(
      [gateways, users],
      mode === 'causeway-registers' ? [[], ['wa']] : [['causeway-main'], []],
    )
    for (const note of made.notes.filter((one) => one.includes('X-PRE-PROCESS'))) {
      const [, file] = /data="\.\.\/([^"]+)"/.exec(note)!
      t.ok(
        made.files.some(({ name }) => name === file),
        file!,
      )
    }
  })
}

/** Parameters of the gateway. */
function gateway(made: Generated): Record<string, string> {
  const root = parseXml(contentsOf(made, 'sip_profiles/external/causeway-main.xml'))
  const params = all(root, 'param').map(({ attributes }) => [
    attributes['name']!,
    attributes['value']!,
  ])
  return Object.fromEntries(params)
}

t.test('by address', async (t) => {
  const made = generate('freeswitch', trunkOf('address'))
  t.match(gateway(made), {
    proxy: '10.0.0.5:5060',
    realm: 'sip.example.com',
    register: 'false',
    'caller-id-in-from': 'true',
  })
  const acl = parseXml(contentsOf(made, 'acl-main.xml'))
  t.same(
    all(acl, 'node').map(({ attributes }) => attributes),
    [{ type: 'allow', cidr: '10.0.0.5/32' }],
  )
})

t.test('an address that is not known lets nobody in', async (t) => {
  const config = trunkOf('address', ['udp://10.0.0.5:5060', 'udp://0.0.0.0:5060'])
  const made = generate('freeswitch', config)
  const acl = contentsOf(made, 'acl-main.xml')
  t.same(all(parseXml(acl), 'node'), [])
  t.match(acl, /CHECK: /)
  t.match(gateway(made), { proxy: 'sip.example.com:5060' })
  t.match(made.notes.join('\n'), /--host/)
  const named = generate('freeswitch', config, { host: '192.0.2.5' })
  t.equal(all(parseXml(contentsOf(named, 'acl-main.xml')), 'node').length, 1)
})

t.test('FreeSWITCH registers', async (t) => {
  t.match(gateway(generate('freeswitch', trunkOf('pbx-registers'))), {
    username: 'pbx',
    password: PASSWORD,
    register: 'true',
    'register-transport': 'udp',
    'expire-seconds': '300',
  })
})

t.test('Causeway registers', async (t) => {
  const made = generate('freeswitch', trunkOf('causeway-registers'))
  const text = contentsOf(made, 'directory/default/causeway-main.xml')
  t.notMatch(text, '$${', 'FreeSWITCH expands nothing of the password')
  const [password] = all(parseXml(text), 'param')
  t.same(password!.attributes, { name: 'password', value: PASSWORD })
  t.match(
    contentsOf(made, 'dialplan/default/causeway-main.xml'),
    'data="${regex(${sofia_contact(internal/wa@$${domain})}|^[^@]+(.*)|sofia/internal/+$1%1)}"',
  )
})

t.test('the expressions take what is dialled, and no more', async (t) => {
  const made = generate('freeswitch', trunkOf('address'))
  const expressions = (name: string): RegExp[] =>
    all(parseXml(contentsOf(made, name)), 'condition')
      .filter(({ attributes }) => attributes['field'] === 'destination_number')
      .map(({ attributes }) => new RegExp(attributes['expression']!))
  const [from] = expressions('dialplan/public/causeway-main.xml')
  t.ok(from!.test('+441632960123'))
  t.notOk(from!.test('441632960123'))
  const [number, user] = expressions('dialplan/default/causeway-main.xml')
  t.same(
    ['+33199001234', '0033199001234', '1001', '0199001234'].map((one) => number!.test(one)),
    [true, true, false, false],
  )
  t.ok(user!.test('FR.13491208655302741918'))
})

t.test('media', async (t) => {
  const of = (srtp: string): string => {
    const made = generate('freeswitch', trunkOf('address', ['srtp: sdes', srtp]))
    return made.files.map(({ contents }) => contents).join('')
  }
  t.match(of('srtp: sdes'), 'rtp_secure_media_inbound=mandatory:AES_CM_128_HMAC_SHA1_80')
  t.match(of('srtp: sdes'), 'nolocal:rtp_secure_media=mandatory:AES_CM_128_HMAC_SHA1_80')
  t.match(of('srtp: dtls'), 'nolocal:media_webrtc=true')
  t.match(of('srtp: none, dtmf: info'), 'dtmf_type=info')
  t.match(of('srtp: none, codecs: [G722, PCMA]'), 'codecs=G722@20i,PCMA@20i"')
})

t.test('an extension of a context is a transfer', async (t) => {
  const made = generate('freeswitch', trunkOf('address'), { extension: '5000@ivr' })
  const text = contentsOf(made, 'dialplan/public/causeway-main.xml')
  t.match(text, 'data="causeway_main_ring=5000 XML ivr"')
  t.match(text, '<action application="transfer" data="$${causeway_main_ring}"/>')
})
