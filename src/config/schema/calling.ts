import { z } from 'zod'
import { isDate, isTimeOfDay, timeZoneNamed } from '../../shared/calendar.ts'
import { nearest } from '../../shared/nearest.ts'
import { integer, leafFacts, matching, oneOf, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { countryLeaf } from './country.ts'

const switchable = () => oneOf(['ENABLED', 'DISABLED'])

/** Holidays one number may have. */
const MAX_HOLIDAYS = 20

const timeOfDay = () =>
  text(
    { expected: 'a time from "0000" to "2359", in quotes', quotable: true },
    (value): string | Rejection => {
      if (isTimeOfDay(value)) return value
      const digits = value.replace(':', '').padStart(4, '0')
      const meant = digits === '2400' ? '2359' : digits
      const hint = isTimeOfDay(meant) ? { meant: `"${meant}"` } : {}
      return new Rejection('this is not a time of day as HHMM', hint)
    },
  )

const date = () =>
  text({ expected: 'a date such as 2026-12-25', quotable: true }, (value): string | Rejection => {
    if (isDate(value)) return value
    const [, day, month, year] = /^(\d\d?)[./](\d\d?)[./](\d{4})$/.exec(value) ?? []
    const meant = year && `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`
    const form = /^\d{4}-\d\d-\d\d$/.test(value)
    return new Rejection(form ? 'the calendar has no such date' : 'this is not a date', {
      meant: meant && isDate(meant) ? meant : undefined,
    })
  })

const timeZone = () =>
  text({ expected: 'an IANA time zone such as Europe/Paris' }, (value): string | Rejection => {
    const named = timeZoneNamed(value)
    if (named === value) return value
    const meant = named ?? nearest(value, Intl.supportedValuesOf('timeZone'))
    return new Rejection('this is not a time zone of the IANA database', { meant })
  })

const callHours = z.strictObject({
  status: switchable().describe('Whether the hours count; without them the number is always open.'),
  timezone_id: timeZone()
    .optional()
    .meta({ examples: ['Europe/Paris'] })
    .describe('IANA time zone of all times.'),
  weekly_operating_hours: z
    .array(
      z.strictObject({
        day_of_week: oneOf([
          'MONDAY',
          'TUESDAY',
          'WEDNESDAY',
          'THURSDAY',
          'FRIDAY',
          'SATURDAY',
          'SUNDAY',
        ]).describe('Day of the window.'),
        open_time: timeOfDay()
          .meta({ examples: ['0900'] })
          .describe('When calls begin to be taken: `HHMM`, in quotes.'),
        close_time: timeOfDay()
          .meta({ examples: ['1730'] })
          .describe('When that ends, on the same day.'),
      }),
    )
    .min(1)
    .register(leafFacts, { expected: 'a list of windows, at least one' })
    .optional()
    .describe('When the number takes calls: up to two windows a day that do not overlap.'),
  holiday_schedule: z
    .array(
      z.strictObject({
        date: date()
          .meta({ examples: ['2026-12-25'] })
          .describe('Date of the exception: today or later.'),
        start_time: timeOfDay()
          .meta({ examples: ['0000'] })
          .describe('When the exception begins: `HHMM`, in quotes.'),
        end_time: timeOfDay()
          .meta({ examples: ['2359'] })
          .describe('When it ends.'),
      }),
    )
    .max(MAX_HOLIDAYS)
    .register(leafFacts, { expected: `a list of at most ${MAX_HOLIDAYS} holidays` })
    .optional()
    .describe(
      'Exceptions to the weekly hours, at most 20. Absent: those of the number stay; an empty list removes them.',
    ),
})

const voicemail = z.strictObject({
  status: switchable().describe('Whether callers may leave a message.'),
  triggers: z
    .array(oneOf(['REJECT', 'TIMEOUT']))
    .optional()
    .meta({ examples: [['REJECT', 'TIMEOUT']] })
    .describe('What leads to voicemail: the call is rejected, or not answered in time.'),
  audio: z
    .strictObject({
      default: z
        .strictObject({
          announcement_media_id: matching(/^\d{1,32}$/, {
            expected: 'the digits of a media ID, in quotes',
            why: 'this is not a media ID',
            quotable: true,
          })
            .optional()
            .meta({ examples: ['1013859600285441'] })
            .describe(
              'Announcement, Ogg Opus under a minute, uploaded with `use_case=call_voicemail_announcement`.',
            ),
          timeout_seconds: integer(0, 30)
            .optional()
            .describe('Seconds until an unanswered call goes to voicemail.'),
        })
        .optional()
        .describe('What every caller hears.'),
    })
    .optional()
    .describe('Announcement and timing.'),
})

const sip = z.strictObject({
  status: switchable().optional().describe('Whether calls come over SIP instead of webhooks.'),
  port: integer(1, 65_535)
    .optional()
    .describe('Port WhatsApp dials. Default: the port of `sip.listen.whatsapp`.'),
  servers: z
    .array(z.unknown())
    .max(0)
    .register(leafFacts, {
      expected: 'nothing, or an empty list with status: DISABLED; Causeway derives the server',
    })
    .optional()
    .describe(
      'Only `[]`, together with `status: DISABLED`: removes the server our app stored. Otherwise derived from `sip.domain` and `port`.',
    ),
  request_uri_user_params: z
    .record(
      z.string().min(1).max(128),
      z
        .string()
        .max(128)
        .register(leafFacts, { expected: 'text of up to 128 characters', quotable: true }),
    )
    .register(leafFacts, {
      expected: 'a mapping of strings of up to 128 characters such as { tgrp: support }',
    })
    .optional()
    .meta({ examples: [{ tgrp: 'support' }] })
    .describe('Parameters WhatsApp puts into the user part of the request URI (RFC 4904 style).'),
  webhook_delivery: switchable()
    .optional()
    .describe('Whether call webhooks go on while SIP is enabled.'),
})

/** `numbers[].calling`: the desired `calling` object of the settings API, in its own field names. */
export const callingSchema = z.strictObject({
  status: switchable().optional().describe('Whether the number takes calls at all.'),
  srtp_key_exchange_protocol: oneOf(['DTLS', 'SDES'])
    .optional()
    .describe(
      'How WhatsApp’s media keys are exchanged; WhatsApp’s own default is DTLS. Without a media relay it has to be SDES.',
    ),
  sip: sip.optional().describe('SIP settings; the server is derived from `sip.domain` and `port`.'),
  audio: z
    .strictObject({
      additional_codecs: z
        .array(oneOf(['PCMA', 'PCMU']))
        .optional()
        .meta({ examples: [['PCMA', 'PCMU']] })
        .describe('Codecs besides Opus; an empty list is none.'),
    })
    .optional()
    .describe('Audio settings.'),
  call_icon_visibility: oneOf(['DEFAULT', 'DISABLE_ALL', 'HIDE_IN_CHAT'])
    .optional()
    .describe('Where WhatsApp shows the call button; hiding it does not stop calls.'),
  call_icons: z
    .strictObject({
      restrict_to_user_countries: z
        .array(countryLeaf())
        .optional()
        .meta({ examples: [['FR', 'BE']] })
        .describe('Countries whose users see the call button; an empty list is all.'),
    })
    .optional()
    .describe('Who sees the call button.'),
  call_hours: callHours
    .optional()
    .describe('Opening hours that WhatsApp keeps for user-initiated calls.'),
  callback_permission_status: switchable()
    .optional()
    .describe('Whether a caller is asked for permission to be called back.'),
  voicemail: voicemail
    .optional()
    .describe('Voicemail of WhatsApp; needs calling enabled and call hours off.'),
  video: z
    .strictObject({ status: switchable().describe('Whether video is enabled.') })
    .optional()
    .describe('Video calling; not known to have an effect over SIP.'),
  restrictions: z
    .unknown()
    .optional()
    .describe('Read only: what WhatsApp restricts cannot be configured. Draws a warning.'),
})
