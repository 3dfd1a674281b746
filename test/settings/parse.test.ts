import { inspect } from 'node:util'
import t from 'tap'
import { parseCalling, parseDocument, parseSettings } from '../../src/settings/index.ts'

const meta = {
  calling: {
    status: 'ENABLED',
    call_icon_visibility: 'DEFAULT',
    callback_permission_status: 'ENABLED',
    srtp_key_exchange_protocol: 'SDES',
    call_hours: {
      status: 'ENABLED',
      timezone_id: 'America/Manaus',
      weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0400', close_time: '1020' }],
      holiday_schedule: [{ date: '2026-01-01', start_time: '0000', end_time: '2359' }],
    },
    sip: {
      status: 'ENABLED',
      webhook_delivery: 'ENABLED',
      servers: [
        {
          app_id: 634974688087057,
          hostname: 'wa-trunk.example.com',
          port: 5061,
          request_uri_user_params: { tgrp: 'wacall' },
          sip_user_password: 'hunter2',
        },
      ],
    },
    audio: { additional_codecs: ['PCMA', 'PCMU'] },
  },
  storage_configuration: { status: 'DEFAULT' },
}

t.test('the documented answer of Meta is read whole', async (t) => {
  const settings = parseSettings(meta)!
  t.match(settings, {
    status: 'ENABLED',
    call_icon_visibility: 'DEFAULT',
    callback_permission_status: 'ENABLED',
    srtp_key_exchange_protocol: 'SDES',
    audio: { additional_codecs: ['PCMA', 'PCMU'] },
    call_hours: { timezone_id: 'America/Manaus' },
  })
  const [server] = settings.sip.servers
  t.equal(server!.app_id, '634974688087057')
  t.equal(server!.port, 5061)
  t.same(server!.request_uri_user_params, { tgrp: 'wacall' })
  t.equal(server!.sip_user_password!.reveal(), 'hunter2')
  t.same(settings.call_hours, meta.calling.call_hours)
  t.same(settings.other, {})
})

t.test('the v23 mirror says the same in its own spelling', async (t) => {
  const settings = parseSettings({
    calling: {
      status: 'enabled',
      call_icon_visibility: 'hidden',
      ip_addresses: { default: ['157.240.0.1'] },
      callback_permission_status: 'disabled',
      srtp_key_exchange_protocol: 'SDES-SRTP',
      sip: {
        status: 'enabled',
        servers: [{ app_id: '12345', hostname: 'h.example.com', port: '5060', password: 'pw' }],
      },
      call_hours: { status: 'enabled', timezone: 'Asia/Singapore', weekly_operating_hours: [] },
      restrictions: {
        restrictions: [{ type: 'restricted_user_initiated_calling', expiration: '1754072386' }],
      },
    },
  })!
  t.equal(settings.status, 'ENABLED')
  t.equal(settings.call_icon_visibility, 'DISABLE_ALL')
  t.equal(settings.callback_permission_status, 'DISABLED')
  t.equal(settings.srtp_key_exchange_protocol, 'SDES')
  t.match(settings.sip.servers[0], { app_id: '12345', port: 5060 })
  t.equal(settings.sip.servers[0]!.sip_user_password!.reveal(), 'pw')
  t.equal(settings.call_hours!.timezone_id, 'Asia/Singapore')
  t.same(settings.restrictions, [
    { type: 'RESTRICTED_USER_INITIATED_CALLING', reason: undefined, expiration: 1754072386 },
  ])
  t.same(settings.other, { ip_addresses: { default: ['157.240.0.1'] } })
})

t.test('single spellings', async (t) => {
  const rows: [Record<string, unknown>, Record<string, unknown>][] = [
    [{ call_icon_visibility: 'visible' }, { call_icon_visibility: 'DEFAULT' }],
    [{ srtp_key_exchange_protocol: 'dtls-srtp' }, { srtp_key_exchange_protocol: 'DTLS' }],
    [{ srtp_key_exchange_protocol: 'ZRTP' }, { srtp_key_exchange_protocol: undefined }],
    [{ status: 'Enabled' }, { status: 'ENABLED' }],
    [{ status: 1 }, { status: undefined }],
    [
      { audio: { additional_codecs: ['pcma'], status: 'enabled' } },
      { audio: { additional_codecs: ['PCMA'], other: { status: 'enabled' } } },
    ],
    [{ audio: {} }, { audio: { additional_codecs: undefined, other: {} } }],
    [
      { sip: null },
      { sip: { status: undefined, webhook_delivery: undefined, servers: [], other: {} } },
    ],
    [{ call_icon_visibility: 'hide_in_chat' }, { call_icon_visibility: 'HIDE_IN_CHAT' }],
    [
      { call_icons: { restrict_to_user_countries: ['fr', 'BE'], since: 1 } },
      { call_icons: { restrict_to_user_countries: ['FR', 'BE'], other: { since: 1 } } },
    ],
    [{ call_icons: {} }, { call_icons: { restrict_to_user_countries: undefined, other: {} } }],
    [{ call_icons: [] }, { call_icons: undefined }],
    [
      { video: { status: 'enabled', hd: true } },
      { video: { status: 'ENABLED', other: { hd: true } } },
    ],
    [
      {
        voicemail: {
          status: 'enabled',
          triggers: ['reject', 'TIMEOUT'],
          greeting: 'x',
          audio: {
            loud: 1,
            default: { announcement_media_id: 1013859600285441, timeout_seconds: '20', fade: 2 },
          },
        },
      },
      {
        voicemail: {
          status: 'ENABLED',
          triggers: ['REJECT', 'TIMEOUT'],
          announcement_media_id: '1013859600285441',
          timeout_seconds: 20,
          other: { greeting: 'x' },
          otherAudio: { loud: 1 },
          otherDefault: { fade: 2 },
        },
      },
    ],
    [{ voicemail: 'x' }, { voicemail: undefined }],
    [
      { restrictions: { restriction_list: [{ type: 'X', reason: 'r' }] } },
      { restrictions: [{ type: 'X', reason: 'r', expiration: undefined }] },
    ],
    [
      {
        call_hours: {
          status: 'ENABLED',
          weekly_operating_hours: [{ day_of_week: 'monday', open_time: 400, close_time: '10:20' }],
          holiday_schedule: [{ date: '2026-01-01', open_time: '0000', close_time: 2359 }],
        },
      },
      {
        call_hours: {
          status: 'ENABLED',
          timezone_id: undefined,
          weekly_operating_hours: [
            { day_of_week: 'MONDAY', open_time: '0400', close_time: '1020' },
          ],
          holiday_schedule: [{ date: '2026-01-01', start_time: '0000', end_time: '2359' }],
        },
      },
    ],
  ]
  for (const [input, expected] of rows) {
    const settings = parseCalling(input)
    for (const [key, value] of Object.entries(expected)) {
      t.same(settings[key as keyof typeof settings], value, JSON.stringify(input))
    }
  }
})

t.test('unknown fields are kept, and passwords never stay plain', async (t) => {
  const settings = parseCalling({
    queue: { status: 'ENABLED', pin_secret: 'hunter2' },
    call_hours: { status: 'ENABLED', day_of_week_start: 'monday' },
    sip: {
      region: 'eu',
      servers: [{ hostname: 'h', sip_user_password: 'hunter2', old: { password: 'hunter2' } }],
    },
  })
  t.match(settings.other, { queue: { status: 'ENABLED' } })
  t.same(settings.call_hours!.other, { day_of_week_start: 'monday' })
  t.same(settings.sip.other, { region: 'eu' })
  t.match(settings.sip.servers[0]!.other, { old: {} })
  t.notMatch(JSON.stringify(settings), /hunter2/)
  t.notMatch(inspect(settings, { depth: 9 }), /hunter2/)
})

t.test('the other groups of the endpoint are kept beside, secrets wrapped', async (t) => {
  const document = parseDocument({
    calling: { status: 'ENABLED' },
    payload_encryption: { status: 'ENABLED', private_key_password: 'hunter2' },
    storage_configuration: { status: 'DEFAULT' },
  })!
  t.equal(document.calling.status, 'ENABLED')
  t.match(document.groups, { storage_configuration: { status: 'DEFAULT' } })
  t.same(Object.keys(document.groups), ['payload_encryption', 'storage_configuration'])
  t.notMatch(JSON.stringify(document), /hunter2/)
  t.equal(parseDocument([]), undefined)
})

t.test('a number without calling is all unset; no object is no answer', async (t) => {
  t.match(parseSettings({ storage_configuration: {} }), { status: undefined, sip: { servers: [] } })
  for (const body of [undefined, null, [], 'x', { calling: [] }, { calling: 'x' }]) {
    t.equal(parseSettings(body), undefined, JSON.stringify(body))
  }
})
