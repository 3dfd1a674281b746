import type { DesiredCalling, SettingsDifference } from './types.ts'

/** What is written in one request; `line` is status, SIP, key exchange and codecs together. */
export type FeatureGroup =
  | 'line'
  | 'sip'
  | 'status'
  | 'audio'
  | 'icons'
  | 'hours'
  | 'callback'
  | 'voicemail'
  | 'video'

interface GroupFacts {
  title: string
  /** The paths of its differences, without `calling.`. */
  fields: RegExp
}

/** What people read of a group, and which fields it has. */
export const GROUPS: Record<FeatureGroup, GroupFacts> = {
  line: {
    title: 'calling, SIP and codecs',
    fields: /^(status|srtp_key_exchange_protocol|sip|audio)\b/,
  },
  sip: { title: 'SIP and key exchange', fields: /^(srtp_key_exchange_protocol|sip)\b/ },
  status: { title: 'calling', fields: /^status\b/ },
  audio: { title: 'codecs', fields: /^audio\b/ },
  icons: { title: 'call button', fields: /^call_icon/ },
  hours: { title: 'call hours', fields: /^call_hours\b/ },
  callback: { title: 'callback permission', fields: /^callback_permission_status\b/ },
  voicemail: { title: 'voicemail', fields: /^voicemail\b/ },
  video: { title: 'video', fields: /^video\b/ },
}

/**
 * The groups in the order in which they may safely be written. Calling needs a SIP server or a
 * webhook before it can be enabled (138018), and is disabled before its server goes. What could be
 * refused for a reason of its own, such as a country or a holiday, goes apart and later, so that
 * it keeps no line from working. Voicemail and call hours exclude each other: the one that is
 * switched off goes first.
 */
export function groupsOf(desired: DesiredCalling): FeatureGroup[] {
  const apart: FeatureGroup[] =
    desired.status === 'DISABLED' ? ['status', 'sip', 'audio'] : ['sip', 'status', 'audio']
  const line: FeatureGroup[] = desired.requests === 'apart' ? apart : ['line']
  const voicemailFirst = desired.voicemail?.status === 'DISABLED'
  return [
    ...line,
    'icons',
    ...(voicemailFirst ? (['voicemail', 'hours', 'callback'] as const) : []),
    ...(voicemailFirst ? [] : (['hours', 'callback', 'voicemail'] as const)),
    'video',
  ]
}

/** The differences of one group. */
export function differencesOf(
  group: FeatureGroup,
  differences: readonly SettingsDifference[],
): SettingsDifference[] {
  const { fields } = GROUPS[group]
  return differences.filter(({ path }) => fields.test(path.slice('calling.'.length)))
}
