import { randomBytes } from 'node:crypto'
import { ackFailure, Dialog } from './dialog.ts'
import { answerDigest, type DigestUse } from './digest.ts'
import type { Received } from './inbox.ts'
import { BUSINESS, CONSUMER, DOMAIN, type Lab, SECRETS } from './lab.ts'
import { fresh, response, Sip, write } from './message.ts'
import { metaSdp, pbxSdp } from './sdp.ts'
import type { Line } from './whatsapp.ts'

const V6 = '2001:db8:f948:9597'
export const RECORD_ROUTES = [
  '<sip:wa.meta.vc;transport=tls;lr>',
  '<sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
]

/** WhatsApp's top Via: an IPv6 address that is not the one its packets come from. */
export const metaVia = (branch: string): string =>
  `SIP/2.0/TLS [${V6}::]:57363;rport;branch=${branch};alias`
export const pbxVia =
  (lab: Lab, transport = 'UDP') =>
  (branch: string): string =>
    `SIP/2.0/${transport} 127.0.0.1:${transport === 'UDP' ? lab.pbx.udpPort : lab.pbx.tcpPort};branch=${branch};rport`

export interface MetaInviteOptions {
  to?: string
  from?: string
  /** Raw From without tag. */
  fromHeader?: string
  callId?: string
  headers?: [string, string][]
  body?: string
  uriParams?: string
}

/** A WACID in the shape of the real ones: both parties in the clear, under base64. */
function wacidOf(user: string, business: string): string {
  const text = (value: string): Buffer[] => [Buffer.of(0x18, value.length), Buffer.from(value)]
  const party = (value: string) => [Buffer.of(0x1c), ...text(value), Buffer.from('150200', 'hex')]
  const id = randomBytes(16).toString('hex').toUpperCase()
  const parts = [...party(user), Buffer.of(0x12), ...text(id), ...party(business), Buffer.of(0)]
  return `wacid.${Buffer.concat(parts).toString('base64')}`
}

/** An INVITE of WhatsApp's (dossier 3.1). */
export class MetaInvite {
  readonly callId: string
  readonly wacid: string
  readonly tag = fresh('8a0f7e65-')
  cseq = 31159
  readonly #options: MetaInviteOptions

  constructor(options: MetaInviteOptions = {}) {
    this.#options = options
    const { from = CONSUMER, to = BUSINESS } = options
    this.wacid = wacidOf(from.replace('+', ''), to.replace('+', ''))
    this.callId = options.callId ?? `outgoing:${this.wacid}`
  }

  /** The text, with a new branch; CSeq grows with each writing after the first. */
  text(authorization?: string): string {
    const { to = BUSINESS, from = CONSUMER, headers, uriParams = '' } = this.#options
    const branch = fresh('z9hG4bKPj')
    const party = this.#options.fromHeader ?? `"${from.replace('+', '')}" <sip:${from}@wa.meta.vc>`
    const body = this.#options.body ?? metaSdp()
    return write(
      `INVITE sip:${to}${uriParams}@${DOMAIN};transport=tls SIP/2.0`,
      [
        ['Via', metaVia(branch)],
        ['Record-Route', RECORD_ROUTES[0]],
        ['Record-Route', RECORD_ROUTES[1]],
        ['Via', `SIP/2.0/TLS [${V6}:d33c:e00:400:0]:5061;branch=${branch}`],
        [
          'Via',
          `SIP/2.0/TLS [${V6}:1ac5:cdf8:300:0]:63057;rport=63057;received=${V6}:1ac5:cdf8:300:0;branch=${fresh('z9hG4bKPj-')};alias`,
        ],
        ['Max-Forwards', '69'],
        ['From', `${party};tag=${this.tag}`],
        ['To', `<sip:${to}${uriParams}@${DOMAIN}>`],
        ['Contact', `<sip:${from}@wa.meta.vc;transport=tls;ob>;isfocus`],
        ['Call-ID', this.callId],
        ['CSeq', `${this.cseq} INVITE`],
        ['X-FB-External-Domain', 'wa.meta.vc'],
        ['Proxy-Authorization', authorization],
        ...(headers ?? []),
        ['Allow', 'INVITE, ACK, BYE, CANCEL, NOTIFY, OPTIONS'],
        ['User-Agent', 'Facebook SipGateway'],
        ['Content-Type', 'application/sdp'],
      ],
      body,
    )
  }
}

/** WhatsApp's account of the number. */
export function account(overrides: Partial<DigestUse> = {}): DigestUse {
  const uri = `sip:${BUSINESS}@${DOMAIN}`
  const username = BUSINESS.slice(1)
  return { username, password: SECRETS.sip, method: 'INVITE', uri, ...overrides }
}

/** A call of a WhatsApp user under way: the INVITE was challenged and is sent with credentials. */
export interface UserCall {
  line: Line
  meta: MetaInvite
  /** The INVITE that counts. */
  invite: Sip
  /** The challenge that was answered. */
  challenge: Received
}

/** Places a call as WhatsApp does: INVITE, 407, ACK, INVITE with credentials. */
export async function userCall(lab: Lab, options: MetaInviteOptions = {}): Promise<UserCall> {
  const line = await lab.wa.dial(lab.at.whatsapp)
  const meta = new MetaInvite(options)
  const first = new Sip(meta.text())
  line.send(first.raw)
  const challenge = await lab.wa.inbox.take({ status: 407, callId: meta.callId })
  line.send(ackFailure(first, challenge.sip))
  meta.cseq++
  const { to = BUSINESS } = options
  const uri = `sip:${to}@${DOMAIN}`
  const value = challenge.sip.get('Proxy-Authenticate')
  const invite = new Sip(meta.text(answerDigest(value, account({ uri }))))
  line.send(invite.raw)
  return { line, meta, invite, challenge }
}

/** Both ends of an answered call. */
export interface Talk {
  wa: Dialog
  pbx: Dialog
  /** The 200 WhatsApp or the PBX has got. */
  answer: Sip
  /** The INVITE the PBX or WhatsApp has got. */
  arrived: Sip
  sendWa(text: string): void
  sendPbx(text: string): void
}

/** The PBX answers the INVITE it got. */
export function pbxAnswer(
  lab: Lab,
  invite: Received,
  body = pbxSdp({ opus: 111, dtmf: 126 }),
): { dialog: Dialog; text: string } {
  const tag = fresh('pbx')
  const contact = `<sip:agent@127.0.0.1:${lab.pbx.udpPort}>`
  const text = response(invite.sip, '200 OK', { tag, headers: [['Contact', contact]], body })
  invite.reply(text)
  return { dialog: Dialog.callee(invite.sip, tag, contact, pbxVia(lab)), text }
}

/** A user-initiated call, answered and acknowledged. */
export async function userTalk(
  lab: Lab,
  options: MetaInviteOptions = {},
): Promise<Talk & UserCall> {
  const call = await userCall(lab, options)
  const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
  const { dialog } = pbxAnswer(lab, arrived)
  await lab.pbx.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
  const { sip: answer } = await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
  const wa = Dialog.caller(call.invite, answer, metaVia)
  // WhatsApp's requests pass its own proxies, which take their Route headers off.
  wa.state.routes = []
  call.line.send(wa.ack())
  return {
    ...call,
    wa,
    pbx: dialog,
    answer,
    arrived: arrived.sip,
    sendWa: call.line.send,
    sendPbx: (text) => lab.pbx.send(lab.at.udp, text),
  }
}

export interface PbxInviteOptions {
  to?: string
  fromHeader?: string
  headers?: [string, string][]
  body?: string
  transport?: string
  callId?: string
  cseq?: number
}

/** An INVITE of the PBX's. */
export function pbxInvite(lab: Lab, options: PbxInviteOptions = {}): Sip {
  const { to = CONSUMER, headers = [], body = pbxSdp(), transport = 'UDP', cseq = 1 } = options
  const port = transport === 'UDP' ? lab.at.udp : lab.at.tcp
  const own = transport === 'UDP' ? lab.pbx.udpPort : lab.pbx.tcpPort
  const from = options.fromHeader ?? `"Agent 7" <sip:7@127.0.0.1>`
  return new Sip(
    write(
      `INVITE sip:${to}@127.0.0.1:${port} SIP/2.0`,
      [
        ['Via', pbxVia(lab, transport)(fresh('z9hG4bK'))],
        ['Max-Forwards', '70'],
        ['From', `${from};tag=${fresh('ag')}`],
        ['To', `<sip:${to}@127.0.0.1:${port}>`],
        ['Call-ID', options.callId ?? fresh('pbx-')],
        ['CSeq', `${cseq} INVITE`],
        ['Contact', `<sip:7@127.0.0.1:${own};transport=${transport.toLowerCase()}>`],
        ['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER'],
        ...(body === '' ? [] : [['Content-Type', 'application/sdp'] as const]),
        ...headers,
      ],
      body,
    ),
  )
}

/** WhatsApp's challenge value (dossier 4.2). */
export function metaChallenge(
  algorithm: string | undefined = 'MD5',
  extra = '',
  nonce = fresh('419ac24155').slice(-16),
): string {
  const named = algorithm === '' ? '' : `,algorithm=${algorithm}`
  return `Digest realm="wa.meta.vc",nonce="${nonce}",opaque="440badfc05072367"${named},qop="auth"${extra}`
}

/** WhatsApp challenges an INVITE and gets it again with credentials; the ACK is taken too. */
export async function challenged(
  lab: Lab,
  invite: Received,
  values: string[] = [metaChallenge()],
): Promise<Received> {
  const headers = values.map((value): [string, string] => ['Proxy-Authenticate', value])
  const tag = fresh('z9')
  invite.reply(response(invite.sip, '407 Proxy Authentication Required', { tag, headers }))
  await lab.wa.inbox.take({ method: 'ACK', callId: invite.sip.callId })
  return await lab.wa.inbox.take({ method: 'INVITE', callId: invite.sip.callId })
}

/** WhatsApp's answer (dossier 4.3). */
export function metaAnswer(invite: Received, tag = fresh('0d185053-')): Dialog {
  const user = /sip:([^@]*)@/.exec(invite.sip.uri)?.[1] ?? ''
  const contact = `<sip:${user}@wa.meta.vc;transport=tls;ob;X-FB-Sip-Smc-Tier=collaboration.sip_gateway.sip.prod>;isfocus`
  const routed = new Sip(
    invite.sip.raw.replace(
      /\r\nFrom:/,
      `\r\nRecord-Route: ${RECORD_ROUTES[1]}\r\nRecord-Route: ${RECORD_ROUTES[0]}\r\nFrom:`,
    ),
  )
  const headers: [string, string][] = [
    ['Allow', 'INVITE, ACK, BYE, CANCEL, NOTIFY, OPTIONS'],
    ['Supported', 'timer'],
    ['X-FB-External-Domain', 'wa.meta.vc'],
    ['Contact', contact],
  ]
  invite.reply(response(routed, '200 OK', { tag, headers, body: metaSdp(107, 101) }))
  const dialog = Dialog.callee(invite.sip, tag, contact, metaVia)
  dialog.state.routes = []
  return dialog
}

/** A business-initiated call, answered and acknowledged. */
export async function businessTalk(
  lab: Lab,
  options: PbxInviteOptions & { challenge?: string[] } = {},
): Promise<Talk & { invite: Sip }> {
  const invite = pbxInvite(lab, options)
  lab.pbx.send(lab.at.udp, invite.raw)
  let arrived = await lab.wa.inbox.take({ method: 'INVITE' })
  if (arrived.sip.get('Proxy-Authorization') === '') {
    arrived = await challenged(lab, arrived, options.challenge)
  }
  const wa = metaAnswer(arrived)
  await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
  const { sip: answer } = await lab.pbx.inbox.take({ status: 200, callId: invite.callId })
  const pbx = Dialog.caller(invite, answer, pbxVia(lab))
  lab.pbx.send(lab.at.udp, pbx.ack())
  const line = await lab.wa.dial(lab.at.whatsapp)
  return {
    invite,
    wa,
    pbx,
    answer,
    arrived: arrived.sip,
    sendWa: line.send,
    sendPbx: (text) => lab.pbx.send(lab.at.udp, text),
  }
}

/** WhatsApp hangs up, and both sides are asked what they saw. */
export async function metaBye(
  lab: Lab,
  talk: Talk,
  headers: [string, string][] = [],
): Promise<Sip> {
  talk.sendWa(talk.wa.request('BYE', { headers }))
  const { callId } = talk.wa.state
  await lab.wa.inbox.take({ status: 200, of: 'BYE', callId })
  const bye = await lab.pbx.inbox.take({ method: 'BYE', callId: talk.pbx.state.callId })
  bye.reply(response(bye.sip, '200 OK'))
  return bye.sip
}

/** The PBX hangs up. */
export async function pbxBye(lab: Lab, talk: Talk, headers: [string, string][] = []): Promise<Sip> {
  talk.sendPbx(talk.pbx.request('BYE', { headers }))
  await lab.pbx.inbox.take({ status: 200, of: 'BYE', callId: talk.pbx.state.callId })
  const bye = await lab.wa.inbox.take({ method: 'BYE', callId: talk.wa.state.callId })
  bye.reply(response(bye.sip, '200 OK'))
  return bye.sip
}

/** What WhatsApp may ever see of us, whatever the PBX does. */
export function foreignToWhatsApp(lab: Lab): string[] {
  return lab.wa.inbox
    .requests()
    .filter(
      (sip) =>
        !['INVITE', 'ACK', 'BYE', 'CANCEL'].includes(sip.method!) ||
        (sip.method === 'INVITE' && sip.get('To').includes(';tag=')),
    )
    .map(({ start }) => start)
}
