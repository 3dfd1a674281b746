import t from 'tap'
import { ENABLE, startGraph } from './support.ts'

const HOURS = {
  status: 'ENABLED',
  timezone_id: 'Europe/Paris',
  weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0900', close_time: '1730' }],
  holiday_schedule: [{ date: '2030-01-01', start_time: '0000', end_time: '1200' }],
}
const MAILBOX = {
  status: 'ENABLED',
  triggers: ['REJECT', 'TIMEOUT'],
  audio: { default: { announcement_media_id: 1013859600285441, timeout_seconds: 20 } },
}

t.test('what a write of the features may not say', async (t) => {
  const { ask } = await startGraph(t)
  const mailbox = (changes: object) => ({ voicemail: { ...MAILBOX, ...changes } })
  const rows: [unknown, RegExp][] = [
    [{ call_icon_visibility: 'SOME' }, /call_icon_visibility/],
    [{ call_icons: { restrict_to_user_countries: 'FR' } }, /ISO 3166/],
    [{ call_icons: { restrict_to_user_countries: ['fr'] } }, /ISO 3166/],
    [{ call_icons: { countries: [] } }, /Unexpected key "countries"/],
    [{ callback_permission_status: 'YES' }, /callback_permission_status/],
    [{ call_hours: { ...HOURS, timezone_id: '+01:00' } }, /Timezone/],
    [{ video: {} }, /video.status is required/],
    [{ video: { status: 'HD' } }, /video status/],
    [mailbox({ status: undefined }), /voicemail.status is required/],
    [mailbox({ triggers: [] }), /at least one trigger/],
    [mailbox({ triggers: ['BUSY'] }), /voicemail trigger/],
    [mailbox({ audio: {} }), /announcement_media_id/],
    [mailbox({ audio: { default: { announcement_media_id: 1 } } }), /needs timeout_seconds/],
    [mailbox({ audio: { default: { timeout_seconds: 31 } } }), /Invalid voicemail timeout/],
    [mailbox({ greeting: 'x' }), /Unexpected key "greeting"/],
    [mailbox({}), /Voicemail needs calling to be enabled/],
    [{ call_hours: HOURS, ...ENABLE.calling, voicemail: MAILBOX }, /while call_hours is enabled/],
  ]
  const before = (await ask('/settings')).body
  for (const [calling, text] of rows) {
    const { status, body } = await ask('/settings', { calling })
    t.equal(status, 400, JSON.stringify(calling))
    t.match(body.error.error_data?.details ?? body.error.message, text)
  }
  t.same((await ask('/settings')).body, before, 'nothing was changed')
})

t.test('features are kept as written, and replaced whole', async (t) => {
  const { ask } = await startGraph(t)
  const icons = { restrict_to_user_countries: ['FR'] }
  const calling = {
    ...ENABLE.calling,
    voicemail: MAILBOX,
    call_icons: icons,
    video: { status: 'ENABLED' },
  }
  t.equal((await ask('/settings', { calling })).status, 200)
  t.match((await ask('/settings')).body.calling, {
    voicemail: MAILBOX,
    call_icons: icons,
    video: { status: 'ENABLED' },
  })
  await ask('/settings', { calling: { voicemail: { status: 'DISABLED' } } })
  t.same((await ask('/settings')).body.calling.voicemail, { status: 'DISABLED' })
})

t.test('the v23 mirror spells features its own way', async (t) => {
  const { ask, number } = await startGraph(t, { dialect: 'v23' })
  number.restrictions.push({
    type: 'RESTRICTED_USER_INITIATED_CALLING',
    reason: 'x',
    expiration: 1_800_000_000,
  })
  const icons = { restrict_to_user_countries: ['FR'] }
  const calling = { ...ENABLE.calling, call_hours: HOURS, call_icons: icons }
  await ask('/settings', { calling })
  t.match((await ask('/settings')).body.calling, {
    call_icons: icons,
    call_hours: {
      status: 'enabled',
      timezone: 'Europe/Paris',
      weekly_operating_hours: [{ day_of_week: 'monday', open_time: 900, close_time: 1730 }],
      holiday_schedule: [{ date: '2030-01-01', open_time: 0, close_time: 1200 }],
    },
    restrictions: {
      restrictions: [{ type: 'restricted_user_initiated_calling', expiration: 1_800_000_000 }],
    },
  })
})
