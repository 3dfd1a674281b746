import { bare, fresh, type Sip, tagOf, write } from './message.ts'

/** How a peer names itself in Via. */
export type ViaOf = (branch: string) => string

interface State {
  callId: string
  /** From of our requests, with tag. */
  local: string
  /** To of our requests, with tag. */
  remote: string
  target: string
  routes: readonly string[]
  cseq: number
  via: ViaOf
  contact: string
}

/** One side of a dialog (RFC 3261 §12), kept by a foreign peer. */
export class Dialog {
  readonly state: State

  constructor(state: State) {
    this.state = state
  }

  /** Of the caller, out of its INVITE and the 2xx. */
  static caller(invite: Sip, answer: Sip, via: ViaOf): Dialog {
    return new Dialog({
      callId: invite.callId,
      local: invite.get('From'),
      remote: answer.get('To'),
      target: bare(answer.get('Contact')),
      routes: answer.all('Record-Route').toReversed(),
      cseq: invite.cseq,
      via,
      contact: invite.get('Contact'),
    })
  }

  /** Of the callee, out of the INVITE and the tag it answered with. */
  static callee(invite: Sip, tag: string, contact: string, via: ViaOf): Dialog {
    return new Dialog({
      callId: invite.callId,
      local: tagOf(invite.get('To')) === '' ? `${invite.get('To')};tag=${tag}` : invite.get('To'),
      remote: invite.get('From'),
      target: bare(invite.get('Contact')),
      routes: invite.all('Record-Route'),
      cseq: 100,
      via,
      contact,
    })
  }

  /** A request within the dialog, with the next CSeq unless one is given. */
  request(
    method: string,
    options: { headers?: [string, string][]; body?: string; cseq?: number } = {},
  ): string {
    const { headers = [], body = '', cseq } = options
    const { callId, local, remote, target, routes, via, contact } = this.state
    const number = cseq ?? ++this.state.cseq
    return write(
      `${method} ${target} SIP/2.0`,
      [
        ['Via', via(fresh('z9hG4bK'))],
        ...routes.map((route) => ['Route', route] as const),
        ['Max-Forwards', '70'],
        ['From', local],
        ['To', remote],
        ['Call-ID', callId],
        ['CSeq', `${number} ${method}`],
        ...(method === 'ACK' || method === 'BYE' ? [] : [['Contact', contact] as const]),
        ...(body === '' ? [] : [['Content-Type', 'application/sdp'] as const]),
        ...headers,
      ],
      body,
    )
  }

  /** The ACK of a 2xx to the INVITE with this CSeq number. */
  ack(cseq = this.state.cseq): string {
    return this.request('ACK', { cseq })
  }
}

/** The ACK of a final response that is not a success: hop by hop, RFC 3261 §17.1.1.3. */
export function ackFailure(invite: Sip, answer: Sip): string {
  return write(`ACK ${invite.uri} SIP/2.0`, [
    ['Via', invite.get('Via')],
    ['Max-Forwards', '70'],
    ['From', invite.get('From')],
    ['To', answer.get('To')],
    ['Call-ID', invite.callId],
    ['CSeq', `${invite.cseq} ACK`],
  ])
}

/** The CANCEL of an INVITE (RFC 3261 §9.1). */
export function cancelOf(invite: Sip, headers: [string, string][] = []): string {
  return write(`CANCEL ${invite.uri} SIP/2.0`, [
    ['Via', invite.get('Via')],
    ['Max-Forwards', '70'],
    ['From', invite.get('From')],
    ['To', invite.get('To')],
    ['Call-ID', invite.callId],
    ['CSeq', `${invite.cseq} CANCEL`],
    ...headers,
  ])
}
