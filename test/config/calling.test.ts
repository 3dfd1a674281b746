import t from 'tap'
import { brief, configOf, edit, issuesOf } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** 2026-11-29, 06:13 in UTC and 20:13 of the day before in Honolulu. */
const clock = new FakeClock(Date.UTC(2026, 10, 29, 6, 13))

/** The valid file with lines put first into `calling:`; they start on line 15. */
function calling(...lines: string[]): string {
  return edit([
    '    calling:\n',
    `    calling:\n${lines.map((line) => `      ${line}\n`).join('')}`,
  ])
}

/** Call hours that are right but for one part. */
function hours(change: { timezone?: string; weekly?: string[]; holidays?: string[] }): string {
  const { timezone = 'Europe/Paris', weekly = [window('MONDAY', '0900', '1730')] } = change
  const { holidays } = change
  return calling(
    'call_hours:',
    '  status: ENABLED',
    `  timezone_id: ${timezone}`,
    `  weekly_operating_hours: [${weekly.join(', ')}]`,
    ...(holidays ? [`  holiday_schedule: [${holidays.join(', ')}]`] : []),
  )
}

function window(day: string, open: string, close: string): string {
  return `{ day_of_week: ${day}, open_time: "${open}", close_time: "${close}" }`
}

function holiday(date: string, start = '0000', end = '2359'): string {
  return `{ date: ${date}, start_time: "${start}", end_time: "${end}" }`
}

const MANY = Array.from({ length: 21 }, (_, day) =>
  holiday(`2027-01-${String(day + 1).padStart(2, '0')}`),
)
const AT = 'numbers[0].calling'
const WEEKLY = `${AT}.call_hours.weekly_operating_hours`
const HOLIDAYS = `${AT}.call_hours.holiday_schedule`
const DEFAULT = `${AT}.voicemail.audio.default`
const LONG = 'x'.repeat(129)

interface Row {
  name: string
  text: string
  is: string
  found?: string | RegExp
  expected?: RegExp
  nearest?: string
}

const refused: Row[] = [
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
    name: 'hours without status',
    text: calling('call_hours: {}'),
    is: `CONFIG_MISSING_KEY 15:7 ${AT}.call_hours.status`,
    found: 'nothing',
  },
  {
    name: 'enabled hours without time zone',
    text: calling(
      `call_hours: { status: ENABLED, weekly_operating_hours: [${window('MONDAY', '0900', '1000')}] }`,
    ),
    is: `CONFIG_CALL_HOURS_INCOMPLETE 15:7 ${AT}.call_hours.timezone_id`,
    found: 'nothing',
    expected: /IANA/,
  },
  {
    name: 'disabled hours with a part',
    text: calling('call_hours: { status: DISABLED, timezone_id: Europe/Paris }'),
    is: `CONFIG_CALL_HOURS_INCOMPLETE 15:7 ${AT}.call_hours.weekly_operating_hours`,
    expected: /window/,
  },
  {
    name: 'a time zone that is none',
    text: hours({ timezone: 'Mars/Olympus' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    found: 'Mars/Olympus',
    expected: /IANA/,
  },
  {
    name: 'a misspelt time zone',
    text: hours({ timezone: 'Europe/Pariis' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    nearest: 'Europe/Paris',
  },
  {
    name: 'a time zone in lower case',
    text: hours({ timezone: 'europe/paris' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    nearest: 'Europe/Paris',
  },
  {
    name: 'an offset for a time zone',
    text: hours({ timezone: '"+01:00"' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    found: '"+01:00"',
  },
  {
    name: 'no weekly hours at all',
    text: hours({ weekly: [] }),
    is: `CONFIG_BAD_VALUE 18:33 ${WEEKLY}`,
    found: 'a list',
    expected: /at least one/,
  },
  {
    name: 'a day that is none',
    text: hours({ weekly: [window('Monday', '0900', '1730')] }),
    is: `CONFIG_BAD_VALUE 18:49 ${WEEKLY}[0].day_of_week`,
    found: 'Monday',
    nearest: 'MONDAY',
  },
  {
    name: 'a time without quotes',
    text: hours({ weekly: ['{ day_of_week: MONDAY, open_time: 0900, close_time: "1730" }'] }),
    is: `CONFIG_NOT_QUOTED 18:68 ${WEEKLY}[0].open_time`,
    found: '0900',
    nearest: '"0900"',
  },
  {
    name: 'a time with a colon',
    text: hours({ weekly: [window('MONDAY', '9:00', '1730')] }),
    is: `CONFIG_BAD_VALUE 18:68 ${WEEKLY}[0].open_time`,
    expected: /"0000" to "2359"/,
    nearest: '"0900"',
  },
  {
    name: 'the end of the day',
    text: hours({ weekly: [window('MONDAY', '0900', '2400')] }),
    is: `CONFIG_BAD_VALUE 18:88 ${WEEKLY}[0].close_time`,
    nearest: '"2359"',
  },
  {
    name: 'a window that ends before it begins',
    text: hours({ weekly: [window('MONDAY', '1730', '0900')] }),
    is: `CONFIG_HOURS_BACKWARDS 18:88 ${WEEKLY}[0].close_time`,
    found: '0900',
    expected: /after open_time, 1730/,
  },
  {
    name: 'a window without length',
    text: hours({ weekly: [window('MONDAY', '0900', '0900')] }),
    is: `CONFIG_HOURS_BACKWARDS 18:88 ${WEEKLY}[0].close_time`,
  },
  {
    name: 'windows of a day that overlap',
    text: hours({ weekly: [window('MONDAY', '0900', '1300'), window('MONDAY', '1200', '1730')] }),
    is: `CONFIG_HOURS_OVERLAP 18:98 ${WEEKLY}[1]`,
    found: '1200-1730',
    expected: /0900-1300.*\[0\]/,
  },
  {
    name: 'a third window of a day',
    text: hours({
      weekly: ['0900', '1100', '1300'].map((open) =>
        window('MONDAY', open, `${Number(open) + 100}`.padStart(4, '0')),
      ),
    }),
    is: `CONFIG_HOURS_TOO_MANY 18:162 ${WEEKLY}[2]`,
    found: 'window 3 of MONDAY',
    expected: /at most 2/,
  },
  {
    name: 'more than 20 holidays',
    text: hours({ holidays: MANY }),
    is: `CONFIG_BAD_VALUE 19:27 ${HOLIDAYS}`,
    found: 'a list',
    expected: /at most 20/,
  },
  {
    name: 'a date in another order',
    text: hours({ holidays: [holiday('25.12.2026')] }),
    is: `CONFIG_BAD_VALUE 19:36 ${HOLIDAYS}[0].date`,
    found: '25.12.2026',
    nearest: '2026-12-25',
  },
  {
    name: 'a date the calendar lacks',
    text: hours({ holidays: [holiday('2027-02-29')] }),
    is: `CONFIG_BAD_VALUE 19:36 ${HOLIDAYS}[0].date`,
    found: '2027-02-29',
  },
  {
    name: 'a holiday in the past',
    text: hours({ holidays: [holiday('2026-11-28')] }),
    is: `CONFIG_HOLIDAY_PAST 19:36 ${HOLIDAYS}[0].date`,
    found: '2026-11-28',
    expected: /2026-11-29 or later/,
  },
  {
    name: 'a date twice',
    text: hours({ holidays: [holiday('2026-12-25', '0000', '1200'), holiday('2026-12-25')] }),
    is: `CONFIG_LISTED_TWICE 19:96 ${HOLIDAYS}[1].date`,
    found: '2026-12-25',
  },
  {
    name: 'a holiday that ends before it begins',
    text: hours({ holidays: [holiday('2026-12-25', '1200', '0000')] }),
    is: `CONFIG_HOURS_BACKWARDS 19:78 ${HOLIDAYS}[0].end_time`,
    found: '0000',
  },
  {
    name: 'a holiday without end',
    text: hours({ holidays: ['{ date: 2026-12-25, start_time: "0000" }'] }),
    is: `CONFIG_MISSING_KEY 19:28 ${HOLIDAYS}[0].end_time`,
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
  {
    name: 'a key of another dialect',
    text: calling('call_hours: { status: DISABLED, timezone: Europe/Paris }'),
    is: `CONFIG_UNKNOWN_KEY 15:39 ${AT}.call_hours.timezone`,
    found: 'timezone',
    nearest: 'timezone_id',
  },
]

for (const { name, text, is, found, expected, nearest } of refused) {
  t.test(`${name} is refused with its place`, async (t) => {
    const { errors } = issuesOf(text, { clock })
    t.same(errors.map(brief), [is])
    const [issue] = errors
    t.equal(issue?.nearest, nearest)
    if (found !== undefined) t.match(issue?.found, found)
    if (expected) t.match(issue?.expected, expected)
    t.equal(issue?.place, `/etc/causeway/c.yaml:${is.split(' ').slice(1).join(' ')}`)
    t.ok(issue?.definition.fix)
  })
}

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

t.test('a start that nobody watches is not kept from by a holiday that is over', async (t) => {
  const text = hours({ holidays: [holiday('2026-11-28')] })
  const { errors, warnings } = issuesOf(text, { clock, expired: 'warning' })
  t.same(errors, [])
  t.same(warnings.map(brief), [`CONFIG_HOLIDAY_PAST 19:36 ${HOLIDAYS}[0].date`])
})

t.test('restrictions are read only, and said to be', async (t) => {
  const { errors, warnings } = issuesOf(calling('restrictions: { restrictions_list: [] }'))
  t.same(errors, [])
  t.same(warnings.map(brief), [`CONFIG_READ_ONLY 15:7 ${AT}.restrictions`])
  t.equal(warnings[0]?.found, 'restrictions')
  t.match(warnings[0]?.definition.fix, /numbers show/)
})

t.test('rules hold back where a value could not be read', async (t) => {
  const text = hours({
    weekly: [window('MONDAY', '9:00', '0800'), window('MUNDAY', '1000', '1100')],
    holidays: [holiday('soon', '1200', '1300')],
  })
  t.same(
    issuesOf(text, { clock }).errors.map(({ code }) => code),
    ['CONFIG_BAD_VALUE', 'CONFIG_BAD_VALUE', 'CONFIG_BAD_VALUE'],
  )
})
