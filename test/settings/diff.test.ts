import t from 'tap'
import type { CallingConfig } from '../../src/config/types.ts'
import {
  desiredCalling,
  desiredContext,
  diffSettings,
  foreignServers,
  ownEntry,
  ownServer,
  parseCalling,
  patchFor,
} from '../../src/settings/index.ts'
import { makeConfig, makeNumber } from './support.ts'

const context = { domain: 'sip.example.com', port: 5061 }
const wish = (calling: CallingConfig = {}) => desiredCalling(makeNumber({ calling }), context)

/** A number as it is after a plain apply. */
const applied = {
  status: 'ENABLED',
  srtp_key_exchange_protocol: 'SDES',
  sip: {
    status: 'ENABLED',
    servers: [{ app_id: 1, hostname: 'SIP.Example.com.', port: 5061, request_uri_user_params: {} }],
  },
}

t.test('unconfigured, calling and SIP are wanted on, with SDES and our server', async (t) => {
  t.same(wish(), {
    status: 'ENABLED',
    srtp_key_exchange_protocol: 'SDES',
    sip: {
      status: 'ENABLED',
      webhook_delivery: undefined,
      hostname: 'sip.example.com',
      server: { hostname: 'sip.example.com', port: 5061, request_uri_user_params: undefined },
      remove: false,
    },
    additional_codecs: undefined,
    call_icon_visibility: undefined,
    restrict_to_user_countries: undefined,
    call_hours: undefined,
    callback_permission_status: undefined,
    voicemail: undefined,
    video: undefined,
    requests: 'together',
  })
})

t.test('the configuration overrides every default', async (t) => {
  const desired = wish({
    status: 'DISABLED',
    srtp_key_exchange_protocol: 'DTLS',
    sip: { port: 5081, request_uri_user_params: { tgrp: 'a' }, webhook_delivery: 'ENABLED' },
    audio: { additional_codecs: ['PCMA'] },
  })
  t.match(desired, {
    status: 'DISABLED',
    srtp_key_exchange_protocol: 'DTLS',
    sip: { webhook_delivery: 'ENABLED', server: { port: 5081 } },
    additional_codecs: ['PCMA'],
  })
  t.equal(wish({ sip: { status: 'DISABLED' } }).sip.server, undefined, 'servers stay as they are')
})

t.test('the port follows the listener, and the bound port when it is ephemeral', async (t) => {
  const config = makeConfig('http://127.0.0.1')
  config.sip.listen.whatsapp.port = 0
  t.equal(desiredContext(config, 40123).port, 40123)
  config.sip.listen.whatsapp.port = 5081
  t.match(desiredContext(config), { domain: 'sip.example.com', port: 5081, requests: 'together' })
  config.whatsapp.provider = '360dialog'
  t.match(desiredContext(config), { requests: 'apart' })
  const number = makeNumber({ calling: { sip: { port: 0 } } })
  t.equal(desiredCalling(number, context).sip.server?.port, 5061)
})

t.test('differences by field', async (t) => {
  const server = 'calling.sip.servers[sip.example.com]'
  const rows: [string, CallingConfig, Record<string, unknown>, string[]][] = [
    ['as applied', {}, {}, []],
    ['calling off', {}, { status: 'DISABLED' }, ['calling.status']],
    ['status not reported', {}, { status: undefined }, ['calling.status']],
    ['off and wanted off', { status: 'DISABLED' }, { status: undefined }, []],
    [
      'never set is DTLS',
      {},
      { srtp_key_exchange_protocol: undefined },
      ['calling.srtp_key_exchange_protocol'],
    ],
    [
      'DTLS wanted, never set',
      { srtp_key_exchange_protocol: 'DTLS' },
      { srtp_key_exchange_protocol: undefined },
      [],
    ],
    ['no server', {}, { sip: { status: 'ENABLED' } }, [server]],
    [
      'another server only',
      {},
      { sip: { status: 'ENABLED', servers: [{ hostname: 'other.example.com' }] } },
      [server],
    ],
    [
      'another port',
      {},
      { sip: { status: 'ENABLED', servers: [{ hostname: 'sip.example.com', port: 5081 }] } },
      [`${server}.port`],
    ],
    [
      'the default port may be left out',
      {},
      { sip: { status: 'ENABLED', servers: [{ hostname: 'sip.example.com' }] } },
      [],
    ],
    [
      'parameters',
      { sip: { request_uri_user_params: { tgrp: 'a' } } },
      {},
      [`${server}.request_uri_user_params`],
    ],
    ['codecs', { audio: { additional_codecs: ['PCMA'] } }, {}, ['calling.audio.additional_codecs']],
    [
      'codecs in any order',
      { audio: { additional_codecs: ['PCMA', 'PCMU'] } },
      { audio: { additional_codecs: ['PCMU', 'PCMA'] } },
      [],
    ],
    ['no codecs', { audio: { additional_codecs: [] } }, {}, []],
    [
      'unwanted codecs',
      { audio: { additional_codecs: [] } },
      { audio: { additional_codecs: ['PCMU'] } },
      ['calling.audio.additional_codecs'],
    ],
    ['codecs unmanaged', {}, { audio: { additional_codecs: ['PCMU'] } }, []],
    [
      'webhooks of SIP calls',
      { sip: { webhook_delivery: 'ENABLED' } },
      {},
      ['calling.sip.webhook_delivery'],
    ],
    ['webhooks wanted off', { sip: { webhook_delivery: 'DISABLED' } }, {}, []],
    ['SIP wanted off', { sip: { status: 'DISABLED' } }, {}, ['calling.sip.status']],
  ]
  for (const [name, config, changes, paths] of rows) {
    const found = diffSettings(parseCalling({ ...applied, ...changes }), wish(config))
    t.same(
      found.map(({ path }) => path),
      paths,
      name,
    )
  }
})

t.test('a difference shows both sides', async (t) => {
  const actual = parseCalling({ ...applied, status: 'disabled' })
  t.same(diffSettings(actual, wish()), [
    { path: 'calling.status', actual: 'DISABLED', desired: 'ENABLED' },
  ])
})

t.test('the order of parameters is no difference', async (t) => {
  const servers = [{ hostname: 'sip.example.com', request_uri_user_params: { b: '2', a: '1' } }]
  const actual = parseCalling({ ...applied, sip: { status: 'ENABLED', servers } })
  const desired = wish({ sip: { request_uri_user_params: { a: '1', b: '2' } } })
  t.same(diffSettings(actual, desired), [])
})

t.test('a fresh number is enabled by one object', async (t) => {
  const desired = wish({
    sip: { request_uri_user_params: { tgrp: 'a' }, webhook_delivery: 'ENABLED' },
    audio: { additional_codecs: ['PCMA', 'PCMU'] },
  })
  const fresh = parseCalling({})
  t.same(patchFor(diffSettings(fresh, desired), fresh, desired), {
    status: 'ENABLED',
    srtp_key_exchange_protocol: 'SDES',
    sip: {
      status: 'ENABLED',
      webhook_delivery: 'ENABLED',
      servers: [
        { hostname: 'sip.example.com', port: 5061, request_uri_user_params: { tgrp: 'a' } },
      ],
    },
    audio: { additional_codecs: ['PCMA', 'PCMU'] },
  })
})

t.test('a patch holds what differs, and never sip without the key exchange', async (t) => {
  const rows: [string, CallingConfig, Record<string, unknown>, unknown][] = [
    ['nothing', {}, {}, undefined],
    ['status alone', {}, { status: 'DISABLED' }, { status: 'ENABLED' }],
    [
      'key exchange alone',
      {},
      { srtp_key_exchange_protocol: 'DTLS' },
      { srtp_key_exchange_protocol: 'SDES' },
    ],
    [
      'SIP, carrying parameters along',
      {},
      {
        sip: {
          status: 'DISABLED',
          servers: [{ hostname: 'sip.example.com', request_uri_user_params: { tgrp: 'kept' } }],
        },
      },
      {
        srtp_key_exchange_protocol: 'SDES',
        sip: {
          status: 'ENABLED',
          servers: [
            { hostname: 'sip.example.com', port: 5061, request_uri_user_params: { tgrp: 'kept' } },
          ],
        },
      },
    ],
    [
      'SIP off keeps the servers',
      { sip: { status: 'DISABLED' } },
      {},
      { srtp_key_exchange_protocol: 'SDES', sip: { status: 'DISABLED' } },
    ],
    [
      'codecs alone',
      { audio: { additional_codecs: ['PCMU'] } },
      {},
      { audio: { additional_codecs: ['PCMU'] } },
    ],
  ]
  for (const [name, config, changes, expected] of rows) {
    const actual = parseCalling({ ...applied, ...changes })
    const desired = wish(config)
    t.same(patchFor(diffSettings(actual, desired), actual, desired), expected, name)
  }
})

t.test('our server is found by host name, preferably with its password', async (t) => {
  const settings = parseCalling({
    sip: {
      servers: [
        { hostname: 'other.example.com', app_id: 3 },
        { hostname: 'sip.example.com', app_id: 1 },
        { hostname: 'SIP.EXAMPLE.COM', app_id: 2, sip_user_password: 'yes' },
      ],
    },
  })
  t.equal(ownServer(settings, 'sip.example.com')!.sip_user_password!.reveal(), 'yes')
  t.same(
    foreignServers(settings, 'sip.example.com').map(({ app_id }) => app_id),
    ['3', '1'],
    'another app may have stored our name',
  )
  t.equal(ownServer(settings, 'absent.example.com'), undefined)
})

t.test('our app is known by its password, whatever the host name', async (t) => {
  const servers = [
    { hostname: 'theirs.example.com', app_id: 1 },
    { hostname: 'old.example.com', app_id: 2, sip_user_password: 'x' },
  ]
  const settings = parseCalling({ sip: { servers } })
  t.equal(ownEntry(settings, 'sip.example.com')!.hostname, 'old.example.com')
  t.same(
    foreignServers(settings, 'sip.example.com').map(({ hostname }) => hostname),
    ['theirs.example.com'],
  )
  const blind = parseCalling({ sip: { servers: servers.map(({ hostname }) => ({ hostname })) } })
  t.equal(ownEntry(blind, 'OLD.example.com.')!.hostname, 'old.example.com')
  t.equal(ownEntry(blind, 'sip.example.com'), undefined)
})
