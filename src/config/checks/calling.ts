import type { Draft } from '../schema-walk.ts'
import type { Path } from '../source.ts'
import { callHours } from './call-hours.ts'
import type { CheckContext, Rule } from './context.ts'

/** `numbers[].calling` as far as it could be read. */
type Calling = NonNullable<NonNullable<NonNullable<Draft['numbers']>[number]>['calling']>

/** A rule about the calling settings of one number. */
type CallingRule = (context: CheckContext, calling: Calling, path: Path) => void

const readOnly: CallingRule = (context, _calling, path) => {
  const at = [...path, 'restrictions']
  if (!context.given(at)) return
  context.warn('CONFIG_READ_ONLY', {
    path: at,
    atKey: true,
    detail: 'restrictions',
    found: 'restrictions',
    expected: 'nothing',
  })
}

const servers: CallingRule = (context, { sip }, path) => {
  const at = [...path, 'sip', 'servers']
  if (!sip?.servers || sip.status === 'DISABLED' || context.isWrong(at)) return
  context.error('CONFIG_SERVERS_DERIVED', {
    path: at,
    atKey: true,
    detail: `sip.status is ${sip.status ?? 'ENABLED by default'}`,
    found: 'servers',
    expected: 'status: DISABLED beside it, or no servers',
  })
}

const listedTwice: CallingRule = (context, calling, path) => {
  const { audio, call_icons, voicemail } = calling
  const lists: [string[], readonly (string | undefined)[] | undefined][] = [
    [['audio', 'additional_codecs'], audio?.additional_codecs],
    [['call_icons', 'restrict_to_user_countries'], call_icons?.restrict_to_user_countries],
    [['voicemail', 'triggers'], voicemail?.triggers],
  ]
  for (const [keys, list] of lists) {
    for (const [index, value] of (list ?? []).entries()) {
      if (value === undefined || list?.indexOf(value) === index) continue
      context.error('CONFIG_LISTED_TWICE', {
        path: [...path, ...keys, index],
        detail: `${keys.at(-1)}: ${value}`,
        found: value,
        expected: 'each value once',
      })
    }
  }
}

const voicemail: CallingRule = (context, calling, path) => {
  const given = calling.voicemail
  if (given?.status !== 'ENABLED') return
  const at = [...path, 'voicemail']
  const { triggers } = given
  const audio = given.audio?.default
  const missing = (keys: string[], expected: string): void => {
    if (context.isWrong([...at, ...keys])) return
    const exact = context.given([...at, ...keys])
    context.error('CONFIG_VOICEMAIL_INCOMPLETE', {
      path: [...at, ...keys],
      atKey: !exact,
      detail: ['voicemail', ...keys].join('.'),
      found: exact ? 'an empty list' : 'nothing',
      expected,
    })
  }
  if (!triggers || triggers.length === 0) missing(['triggers'], 'REJECT, TIMEOUT or both')
  if (!audio?.announcement_media_id) {
    missing(['audio', 'default', 'announcement_media_id'], 'the ID of an uploaded announcement')
  }
  if (triggers?.includes('TIMEOUT') && audio?.timeout_seconds === undefined) {
    missing(['audio', 'default', 'timeout_seconds'], 'seconds from 0 to 30')
  }
  const status = [...at, 'status']
  const { call_hours } = calling
  if (call_hours?.status === 'ENABLED') {
    context.error('CONFIG_VOICEMAIL_CALL_HOURS', {
      path: status,
      detail: 'both are ENABLED',
      found: 'ENABLED',
      expected: 'DISABLED while call_hours.status is ENABLED',
    })
  }
  if (calling.status === 'DISABLED') {
    context.error('CONFIG_VOICEMAIL_NO_CALLS', {
      path: status,
      detail: 'calling.status is DISABLED',
      found: 'ENABLED',
      expected: 'DISABLED while calling.status is DISABLED',
    })
  }
}

const perNumber: readonly CallingRule[] = [
  readOnly,
  servers,
  listedTwice,
  (context, { call_hours }, path) => callHours(context, call_hours, [...path, 'call_hours']),
  voicemail,
]

/** Rules of `numbers[].calling`: what WhatsApp's settings API would refuse. */
export const callingRules: readonly Rule[] = perNumber.map((rule) => (context: CheckContext) => {
  for (const [index, number] of (context.draft.numbers ?? []).entries()) {
    if (number?.calling) rule(context, number.calling, ['numbers', index, 'calling'])
  }
})
