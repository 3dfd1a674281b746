import type { Config, NumberConfig } from '../../config/types.ts'
import { nearest } from '../../shared/nearest.ts'
import { UsageError } from '../verb.ts'
import type { PastedInvite } from './pasted-invite.ts'

/** What the command line says of a call from a WhatsApp user. */
export interface WhatsAppOptions {
  number: string
  from?: string
  param?: readonly string[]
  country?: string
  payload?: string
  'link-payload'?: string
  'user-id'?: string
  username?: string
  name?: string
}

/** WhatsApp's INVITE of such a call. @throws {UsageError} for an unknown number or a broken parameter */
export function whatsappInvite(options: WhatsAppOptions, config: Config): PastedInvite {
  const { numbers, sip, whatsapp } = config
  const number = numbers.find(({ name, phoneNumber }) =>
    [name, phoneNumber, phoneNumber.slice(1)].includes(options.number),
  )
  if (!number) {
    const known = numbers.map(({ name }) => name)
    const close = nearest(options.number, known)
    const hint = close ? `did you mean ${close}?` : `there are ${known.join(', ') || 'none'}`
    throw new UsageError(`no number ${options.number}; ${hint}`)
  }
  const { from } = options
  if (from === undefined) throw new UsageError('--from is missing: who calls, +E.164 or a user id')
  const params = paramsOf(options.param, number).map(
    ([name, value]) => `;${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  )
  const display = options.name === undefined ? '' : `"${options.name.replace(/["\\]/g, '\\$&')}" `
  return messageOf(`sip:${number.phoneNumber}${params.join('')}@${sip.domain};transport=tls`, {
    from: `${display}<sip:${encodeURI(from)}@${whatsapp.sipDomain}>`,
    to: `<sip:${number.phoneNumber}@${sip.domain}>`,
    'x-wa-meta-country-code': options.country,
    'x-wa-meta-user-id': options['user-id'],
    'x-wa-meta-username': options.username,
    'x-wa-meta-cta-payload': options.payload,
    'x-wa-meta-deeplink-payload': options['link-payload'],
  })
}

/** User parameters as given, else those WhatsApp is configured to send. */
function paramsOf(
  given: readonly string[] | undefined,
  { calling }: NumberConfig,
): [name: string, value: string][] {
  if (!given) return Object.entries(calling.sip?.request_uri_user_params ?? {})
  return given.map((pair) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
    if (name === undefined) throw new UsageError(`--param takes NAME=VALUE, not ${pair}`)
    return [name, value!]
  })
}

/** What the command line says of a call from the PBX. */
export interface PbxOptions {
  to?: string
  from?: string
  pai?: string
  diversion?: string
  'history-info'?: string
  /** IP address. */
  source?: string
}

/** The PBX's INVITE of such a call. @throws {UsageError} when nobody is dialled */
export function pbxInvite(options: PbxOptions, config: Config): PastedInvite {
  if (options.to === undefined) throw new UsageError('--to is missing: what the PBX dials')
  const host = config.sip.listen.pbx[0]?.host ?? config.sip.domain
  const party = (user: string | undefined): string | undefined =>
    user === undefined || /[<:]/.test(user) ? user : `<sip:${user}@pbx.invalid>`
  const message = messageOf(`sip:${options.to}@${host}`, {
    from: party(options.from),
    to: `<sip:${options.to}@${host}>`,
    'p-asserted-identity': party(options.pai),
    diversion: party(options.diversion),
    'history-info': party(options['history-info']),
  })
  return { ...message, source: options.source }
}

function messageOf(uri: string, given: Record<string, string | undefined>): PastedInvite {
  const headers = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const header = (name: string): string | undefined => headers[name.toLowerCase()]
  return { uri, callId: '', headers, header, source: undefined }
}
