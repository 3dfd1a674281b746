import t from 'tap'
import type { CallingConfig } from '../../src/config/types.ts'
import {
  diffSettings,
  parseCalling,
  patchFor,
  planSettings,
  type SettingsPlan,
} from '../../src/settings/index.ts'
import {
  applied,
  CHRISTMAS,
  HOURS,
  hours,
  MAILBOX,
  MONDAY,
  OVER,
  OWN,
  voicemail,
  wish,
} from './calling-support.ts'
import { makeNumber } from './support.ts'

const plan = (calling: CallingConfig, actual: Record<string, unknown>, requests?: 'apart') =>
  planSettings(parseCalling({ ...applied, ...actual }), wish(calling, requests), makeNumber())
const groups = ({ steps }: SettingsPlan) => steps.map(({ group }) => group)
const notes = ({ steps }: SettingsPlan) =>
  steps.flatMap((step) => step.notes.map(({ fate, path }) => `${fate} ${path}`))

t.test('a write repeats what WhatsApp would delete', async (t) => {
  const rows: [string, CallingConfig, Record<string, unknown>, unknown, string[]][] = [
    [
      'holidays the file does not name, but for those that are over',
      {
        call_hours: {
          status: 'ENABLED',
          timezone_id: 'Europe/Paris',
          weekly_operating_hours: [MONDAY],
        },
      },
      { call_hours: { ...HOURS, holiday_schedule: [OVER, CHRISTMAS] } },
      {
        call_hours: {
          status: 'ENABLED',
          timezone_id: 'Europe/Paris',
          weekly_operating_hours: [MONDAY],
          holiday_schedule: [CHRISTMAS],
        },
      },
      ['carried calling.call_hours.holiday_schedule', 'lost calling.call_hours.holiday_schedule'],
    ],
    [
      'hours that are only switched off',
      { call_hours: { status: 'DISABLED' } },
      { call_hours: { ...HOURS, day_of_week_start: 'MONDAY' } },
      { call_hours: { ...HOURS, status: 'DISABLED', day_of_week_start: 'MONDAY' } },
      [
        'carried calling.call_hours.timezone_id',
        'carried calling.call_hours.weekly_operating_hours',
        'carried calling.call_hours.holiday_schedule',
        'carried calling.call_hours.day_of_week_start',
      ],
    ],
    [
      'unknown fields of the button',
      { call_icons: { restrict_to_user_countries: ['FR'] } },
      { call_icons: { restrict_to_user_countries: [], restrict_to_ages: [18] } },
      { call_icons: { restrict_to_user_countries: ['FR'], restrict_to_ages: [18] } },
      ['carried calling.call_icons.restrict_to_ages'],
    ],
    [
      'the rest of voicemail, and unknown fields at every depth but secrets',
      { voicemail: { status: 'DISABLED' } },
      {
        voicemail: {
          ...MAILBOX,
          greeting: 'x',
          pin_token: 'hunter2',
          audio: { loud: 1, default: { ...MAILBOX.audio.default, fade: 2 } },
        },
      },
      {
        voicemail: {
          status: 'DISABLED',
          triggers: ['REJECT', 'TIMEOUT'],
          greeting: 'x',
          audio: { loud: 1, default: { ...MAILBOX.audio.default, fade: 2 } },
        },
      },
      [
        'carried calling.voicemail.triggers',
        'carried calling.voicemail.audio.default.announcement_media_id',
        'carried calling.voicemail.audio.default.timeout_seconds',
        'carried calling.voicemail.greeting',
        'lost calling.voicemail.pin_token',
        'carried calling.voicemail.audio.loud',
        'carried calling.voicemail.audio.default.fade',
      ],
    ],
    [
      'user parameters of our server; its unknown fields are read only',
      { sip: { port: 5081 } },
      {
        sip: {
          status: 'ENABLED',
          servers: [{ ...OWN, request_uri_user_params: { tgrp: 'a' }, verified: true }],
        },
      },
      {
        srtp_key_exchange_protocol: 'SDES',
        sip: {
          status: 'ENABLED',
          servers: [
            { hostname: 'sip.example.com', port: 5081, request_uri_user_params: { tgrp: 'a' } },
          ],
        },
      },
      [
        'carried calling.sip.servers[sip.example.com].request_uri_user_params',
        'lost calling.sip.servers[sip.example.com].verified',
      ],
    ],
    [
      'nothing, where the file names everything',
      hours({ status: 'DISABLED' }),
      { call_hours: HOURS },
      { call_hours: { ...HOURS, status: 'DISABLED' } },
      [],
    ],
  ]
  for (const [name, config, changes, patch, said] of rows) {
    const result = plan(config, changes)
    t.same(
      result.steps.map((step) => step.patch),
      [patch],
      name,
    )
    t.same(notes(result), said, name)
    t.notMatch(JSON.stringify(result), /hunter2/, name)
  }
})

t.test('a media ID that a number cannot hold stays text', async (t) => {
  const id = '90071992547409931'
  const config = voicemail({
    audio: { default: { announcement_media_id: id, timeout_seconds: 5 } },
  })
  const fresh = parseCalling(applied)
  const desired = wish(config)
  t.match(patchFor(diffSettings(fresh, desired), fresh, desired), {
    voicemail: { audio: { default: { announcement_media_id: id } } },
  })
})

t.test('the order of requests', async (t) => {
  const everything: CallingConfig = {
    ...hours(),
    call_icon_visibility: 'DISABLE_ALL',
    callback_permission_status: 'ENABLED',
    video: { status: 'ENABLED' },
    audio: { additional_codecs: ['PCMA'] },
  }
  const untouched = { status: undefined, srtp_key_exchange_protocol: undefined, sip: {} }
  t.same(groups(plan(everything, untouched)), ['line', 'icons', 'hours', 'callback', 'video'])
  t.same(groups(plan(everything, untouched, 'apart')), [
    'sip',
    'status',
    'audio',
    'icons',
    'hours',
    'callback',
    'video',
  ])
  const off: CallingConfig = { status: 'DISABLED', sip: { status: 'DISABLED' } }
  t.same(groups(plan(off, {}, 'apart')), ['status', 'sip'], 'no call meets a server that is gone')
  t.same(
    groups(plan({ ...hours(), voicemail: { status: 'DISABLED' } }, { voicemail: MAILBOX })),
    ['voicemail', 'hours'],
    'what excludes the other is switched off first',
  )
  t.same(
    groups(plan({ ...voicemail(), call_hours: { status: 'DISABLED' } }, { call_hours: HOURS })),
    ['hours', 'voicemail'],
  )
  for (const { patch } of plan(everything, untouched, 'apart').steps) {
    t.notOk(patch.sip && !patch.srtp_key_exchange_protocol, 'never sip without the key exchange')
  }
})

t.test('a number that is as configured has an empty plan', async (t) => {
  t.same(plan({}, {}), { steps: [], warnings: [] })
})

t.test('our host name moves', async (t) => {
  const old = { ...OWN, hostname: 'old.example.com', request_uri_user_params: { tgrp: 'a' } }
  const foreign = { app_id: 77, hostname: 'theirs.example.com' }
  const moved = plan({}, { sip: { status: 'ENABLED', servers: [foreign, old] } })
  t.match(moved.steps, [
    {
      differences: [
        {
          path: 'calling.sip.servers[sip.example.com]',
          actual: { hostname: 'old.example.com', port: 5061 },
          desired: { hostname: 'sip.example.com', port: 5061 },
        },
      ],
      patch: {
        sip: { servers: [{ hostname: 'sip.example.com', request_uri_user_params: { tgrp: 'a' } }] },
      },
    },
  ])
  t.same(notes(moved), [
    'replaced calling.sip.servers[old.example.com]',
    'carried calling.sip.servers[old.example.com].request_uri_user_params',
  ])
  t.match(moved.warnings, [
    { code: 'SETTINGS_FOREIGN_SERVER', detail: 'theirs.example.com (app 77)' },
  ])
  t.notMatch(JSON.stringify(moved), /hunter2/)
})

t.test('our server is removed on request, and no other', async (t) => {
  const foreign = { app_id: 77, hostname: 'theirs.example.com' }
  const servers = [OWN, foreign]
  const off: CallingConfig = { sip: { status: 'DISABLED', servers: [] } }
  const removed = plan(off, { sip: { status: 'ENABLED', servers } })
  t.match(removed.steps[0]!.differences, [
    { path: 'calling.sip.status' },
    { path: 'calling.sip.servers[sip.example.com]', desired: undefined },
  ])
  t.same(removed.steps[0]!.patch.sip, { status: 'DISABLED', servers: [] })
  t.same(plan(off, { sip: { status: 'DISABLED', servers: [foreign] } }).steps, [])
  t.match(plan(off, { sip: { status: 'DISABLED', servers: [foreign] } }).warnings, [
    { code: 'SETTINGS_FOREIGN_SERVER' },
  ])
  t.same(plan({ sip: { status: 'DISABLED' } }, {}).steps[0]!.patch.sip, { status: 'DISABLED' })
})

t.test('what no write puts right is warned of', async (t) => {
  const restriction = {
    type: 'RESTRICTED_USER_INITIATED_CALLING',
    reason: 'low pick-up',
    expiration: 1_796_000_000,
  }
  const rows: [string, CallingConfig, Record<string, unknown>, string, RegExp][] = [
    [
      'a restriction, with its end',
      {},
      { restrictions: { restrictions_list: [restriction] } },
      'SETTINGS_RESTRICTED',
      /low pick-up, until 2026-11-30T00:53:20Z/,
    ],
    [
      'voicemail beside hours of the number',
      voicemail(),
      { voicemail: MAILBOX, call_hours: HOURS },
      'SETTINGS_VOICEMAIL_CALL_HOURS',
      /call hours are enabled/,
    ],
    [
      'hours beside voicemail of the number',
      hours(),
      { voicemail: MAILBOX, call_hours: HOURS },
      'SETTINGS_VOICEMAIL_CALL_HOURS',
      /voicemail is enabled/,
    ],
    [
      'a detail of our server that is not shown',
      { sip: { request_uri_user_params: { tgrp: 'a' } } },
      {},
      'SETTINGS_UNVERIFIED',
      /request_uri_user_params/,
    ],
  ]
  for (const [name, config, changes, code, detail] of rows) {
    t.match(plan(config, changes).warnings, [{ code, detail }], name)
  }
})
