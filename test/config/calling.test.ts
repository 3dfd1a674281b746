import t from 'tap'
import { brief, configOf, edit, issuesOf } from '../support/config-file.ts'
import { AT, calling, clock, holiday, refuses, window } from './calling-support.ts'

const DEFAULT = `${AT}.voicemail.audio.default`
const LONG = 'x'.repeat(129)

refuses(t, [
  {
    name: 'a status',
    text: calling('status: ON'),
    is: `CONFIG_BAD_VALUE 15:15 ${AT}.status`,
    found: 'ON',
    expected: /ENABLED, DISABLED/,
  },
  {
    name: 'a visibility',
    text: calling('call_icon_visibility: DISABLE'),
    is: `CONFIG_BAD_VALUE 15:29 ${AT}.call_icon_visibility`,
    found: 'DISABLE',
    expected: /DEFAULT, DISABLE_ALL, HIDE_IN_CHAT/,
    nearest: 'DISABLE_ALL',
  },
  {
    name: 'a country in lower case',
    text: calling('call_icons: { restrict_to_user_countries: [BE, fr] }'),
    is: `CONFIG_BAD_VALUE 15:54 ${AT}.call_icons.restrict_to_user_countries[1]`,
    found: 'fr',
    expected: /ISO 3166-1/,
    nearest: 'FR',
  },
  {
    name: 'a country that is none',
    text: calling('call_icons: { restrict_to_user_countries: [UK] }'),
    is: `CONFIG_BAD_VALUE 15:50 ${AT}.call_icons.restrict_to_user_countries[0]`,
    found: 'UK',
    nearest: 'GB',
  },
  {
    name: 'a country twice',
    text: calling('call_icons: { restrict_to_user_countries: [FR, BE, FR] }'),
    is: `CONFIG_LISTED_TWICE 15:58 ${AT}.call_icons.restrict_to_user_countries[2]`,
    found: 'FR',
    expected: /once/,
  },
  {
    name: 'countries that are no list',
    text: calling('call_icons: { restrict_to_user_countries: FR }'),
    is: `CONFIG_WRONG_TYPE 15:49 ${AT}.call_icons.restrict_to_user_countries`,
    found: 'FR',
    nearest: '[FR]',
  },
  {
    name: 'a callback permission',
    text: calling('callback_permission_status: true'),
    is: `CONFIG_BAD_VALUE 15:35 ${AT}.callback_permission_status`,
    found: 'true',
    expected: /ENABLED, DISABLED/,
  },
  {
    name: 'a port beyond the last',
    text: edit(['{ status: ENABLED }', '{ status: ENABLED, port: 70000 }']),
    is: `CONFIG_BAD_VALUE 16:37 ${AT}.sip.port`,
    found: '70000',
    expected: /1 to 65535/,
  },
  {
    name: 'a host name that is none',
    text: edit(['sip.example.com', 'sip:example.com']),
    is: 'CONFIG_BAD_VALUE 2:11 sip.domain',
    expected: /host name/,
  },
  {
    name: 'a user parameter of 129 characters',
    text: edit(['{ status: ENABLED }', `{ request_uri_user_params: { tgrp: ${LONG} } }`]),
    is: `CONFIG_BAD_VALUE 16:47 ${AT}.sip.request_uri_user_params.tgrp`,
    expected: /128 characters/,
  },
  {
    name: 'the name of a user parameter of 129 characters',
    text: edit(['{ status: ENABLED }', `{ request_uri_user_params: { ${LONG}: a } }`]),
    is: `CONFIG_BAD_VALUE 16:41 ${AT}.sip.request_uri_user_params.${LONG}`,
    expected: /128 characters/,
  },
  {
    name: 'a user parameter that is no text',
    text: edit(['{ status: ENABLED }', '{ request_uri_user_params: { tgrp: 7 } }']),
    is: `CONFIG_NOT_QUOTED 16:47 ${AT}.sip.request_uri_user_params.tgrp`,
    found: '7',
    nearest: '"7"',
  },
  {
    name: 'servers while SIP is on',
    text: edit(['{ status: ENABLED }', '{ servers: [] }']),
    is: `CONFIG_SERVERS_DERIVED 16:14 ${AT}.sip.servers`,
    expected: /DISABLED/,
  },
  {
    name: 'servers of one’s own',
    text: edit([
      '{ status: ENABLED }',
      '{ status: DISABLED, servers: [{ hostname: a.example.com }] }',
    ]),
    is: `CONFIG_BAD_VALUE 16:41 ${AT}.sip.servers`,
    expected: /empty list/,
  },
  {
    name: 'a codec WhatsApp lacks',
    text: calling('audio: { additional_codecs: [PCMA, G722] }'),
    is: `CONFIG_BAD_VALUE 15:42 ${AT}.audio.additional_codecs[1]`,
    found: 'G722',
    expected: /PCMA, PCMU/,
  },
  {
    name: 'a codec twice',
    text: calling('audio: { additional_codecs: [PCMA, PCMA] }'),
    is: `CONFIG_LISTED_TWICE 15:42 ${AT}.audio.additional_codecs[1]`,
  },
  {
    name: 'a key exchange',
    text: edit(['SDES', 'ZRTP']),
    is: `CONFIG_BAD_VALUE 15:35 ${AT}.srtp_key_exchange_protocol`,
    expected: /DTLS, SDES/,
  },
  {
    name: 'voicemail without trigger',
    text: calling(
      'voicemail: { status: ENABLED, triggers: [], audio: { default: { announcement_media_id: "1" } } }',
    ),
    is: `CONFIG_VOICEMAIL_INCOMPLETE 15:47 ${AT}.voicemail.triggers`,
    found: 'an empty list',
    expected: /REJECT/,
  },
  {
    name: 'a trigger that is none',
    text: calling('voicemail: { status: DISABLED, triggers: [BUSY] }'),
    is: `CONFIG_BAD_VALUE 15:49 ${AT}.voicemail.triggers[0]`,
    expected: /REJECT, TIMEOUT/,
  },
  {
    name: 'voicemail without announcement',
    text: calling('voicemail: { status: ENABLED, triggers: [REJECT] }'),
    is: `CONFIG_VOICEMAIL_INCOMPLETE 15:7 ${DEFAULT}.announcement_media_id`,
    found: 'nothing',
  },
  {
    name: 'a timeout trigger without time',
    text: calling(
      'voicemail: { status: ENABLED, triggers: [TIMEOUT], audio: { default: { announcement_media_id: "1" } } }',
    ),
    is: `CONFIG_VOICEMAIL_INCOMPLETE 15:67 ${DEFAULT}.timeout_seconds`,
    expected: /0 to 30/,
  },
  {
    name: 'a timeout beyond 30 seconds',
    text: calling('voicemail: { status: DISABLED, audio: { default: { timeout_seconds: 31 } } }'),
    is: `CONFIG_BAD_VALUE 15:75 ${DEFAULT}.timeout_seconds`,
    found: '31',
    expected: /0 to 30/,
  },
  {
    name: 'a media ID without quotes',
    text: calling(
      'voicemail: { status: DISABLED, audio: { default: { announcement_media_id: 12 } } }',
    ),
    is: `CONFIG_NOT_QUOTED 15:81 ${DEFAULT}.announcement_media_id`,
    nearest: '"12"',
  },
  {
    name: 'voicemail beside call hours',
    text: calling(
      `call_hours: { status: ENABLED, timezone_id: UTC, weekly_operating_hours: [${window('MONDAY', '0900', '1730')}] }`,
      'voicemail: { status: ENABLED, triggers: [REJECT], audio: { default: { announcement_media_id: "1" } } }',
    ),
    is: `CONFIG_VOICEMAIL_CALL_HOURS 16:28 ${AT}.voicemail.status`,
    found: 'ENABLED',
    expected: /DISABLED/,
  },
  {
    name: 'voicemail of a number that takes no calls',
    text: calling(
      'status: DISABLED',
      'voicemail: { status: ENABLED, triggers: [REJECT], audio: { default: { announcement_media_id: "1" } } }',
    ),
    is: `CONFIG_VOICEMAIL_NO_CALLS 16:28 ${AT}.voicemail.status`,
  },
  {
    name: 'a video status in lower case',
    text: calling('video: { status: enabled }'),
    is: `CONFIG_BAD_VALUE 15:24 ${AT}.video.status`,
    nearest: 'ENABLED',
  },
])

t.test('every field is taken in its own form', async (t) => {
  const text = calling(
    'call_icon_visibility: HIDE_IN_CHAT',
    'call_icons: { restrict_to_user_countries: [] }',
    'callback_permission_status: ENABLED',
    'audio: { additional_codecs: [PCMU] }',
    'video: { status: DISABLED }',
    'voicemail: { status: DISABLED, triggers: [REJECT, TIMEOUT], audio: { default: { announcement_media_id: "12", timeout_seconds: 0 } } }',
    'call_hours:',
    '  status: ENABLED',
    '  timezone_id: Pacific/Honolulu',
    `  weekly_operating_hours: [${window('MONDAY', '0000', '1200')}, ${window('MONDAY', '1200', '2359')}, ${window('SUNDAY', '0900', '1000')}]`,
    // Yesterday in UTC, today in Honolulu.
    `  holiday_schedule: [${holiday('2026-11-28')}]`,
  )
  t.same(issuesOf(text, { clock }), { errors: [], warnings: [] })
  const [number] = configOf(text, { clock }).numbers
  t.match(number?.calling, {
    call_icon_visibility: 'HIDE_IN_CHAT',
    call_icons: { restrict_to_user_countries: [] },
    callback_permission_status: 'ENABLED',
    audio: { additional_codecs: ['PCMU'] },
    video: { status: 'DISABLED' },
    voicemail: { triggers: ['REJECT', 'TIMEOUT'], audio: { default: { timeout_seconds: 0 } } },
    call_hours: {
      timezone_id: 'Pacific/Honolulu',
      holiday_schedule: [{ date: '2026-11-28', start_time: '0000', end_time: '2359' }],
    },
  })
})

t.test('hours may be switched off, and our server removed, with nothing else', async (t) => {
  const off = calling('call_hours: { status: DISABLED }')
  t.same(issuesOf(off, { clock }), { errors: [], warnings: [] })
  const removed = edit(['{ status: ENABLED }', '{ status: DISABLED, servers: [] }'])
  t.same(issuesOf(removed), { errors: [], warnings: [] })
  t.same(configOf(removed).numbers[0]?.calling.sip?.servers, [])
})

t.test('restrictions are read only, and said to be', async (t) => {
  const { errors, warnings } = issuesOf(calling('restrictions: { restrictions_list: [] }'))
  t.same(errors, [])
  t.same(warnings.map(brief), [`CONFIG_READ_ONLY 15:7 ${AT}.restrictions`])
  t.equal(warnings[0]?.found, 'restrictions')
  t.match(warnings[0]?.definition.fix, /numbers show/)
})
