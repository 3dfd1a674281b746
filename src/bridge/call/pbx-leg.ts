import { detach } from '../../shared/detach.ts'
import { ALLOW_PBX } from '../headers/allow.ts'
import type { IncomingRequest } from '../sip-port.ts'
import type { EstablishedCall } from './established.ts'
import { onRefer } from './refer.ts'
import { Renegotiation } from './renegotiation.ts'

/** A dialog with the PBX. */
export interface PbxDialog {
  /** The SIP server's name of it, with the tag of the side that called. */
  id: string
  /** The tag of the side that was called. */
  calleeTag: string | undefined
  caller: 'us' | 'pbx'
}

/** One dialog with the PBX within a call: a transfer brings another. */
export class PbxLeg {
  readonly id: string
  readonly calleeTag: string
  readonly caller: PbxDialog['caller']
  readonly renegotiation: Renegotiation
  /** REFERs taken in this dialog. */
  refers = 0
  /** Whether the PRACK for a reliable ringing may still come. */
  awaitsPrack = false
  /** Whether the PBX has hung up on it. */
  gone = false

  constructor(established: EstablishedCall, { id, calleeTag, caller }: PbxDialog) {
    this.id = detach(id)
    this.calleeTag = detach(calleeTag ?? '')
    this.caller = caller
    this.renegotiation = new Renegotiation(established)
  }
}

/**
 * Answers what the PBX asks within an answered call, other than BYE. All of it ends here: WhatsApp
 * answers a re-INVITE 500 and knows no other request, so that its leg never hears of any.
 */
export function answerOnPbxLeg(
  established: EstablishedCall,
  leg: PbxLeg,
  request: IncomingRequest,
): void {
  switch (request.method) {
    case 'ACK':
      leg.renegotiation.onAck(request)
      return
    case 'INVITE':
    case 'UPDATE':
      leg.renegotiation.onRequest(request)
      return
    case 'REFER':
      onRefer(established, leg, request)
      return
    case 'PRACK':
      respond(established, request, leg.awaitsPrack ? 200 : 481)
      leg.awaitsPrack = false
      return
    case 'OPTIONS':
    case 'INFO':
      respond(established, request, 200)
      return
    default:
      respond(established, request, 405)
  }
}

function respond(established: EstablishedCall, request: IncomingRequest, status: number): void {
  established.call.note('pbx', 'out', String(status), request.method)
  const allow = status === 405 || request.method === 'OPTIONS'
  request.respond(allow ? { status, headers: { Allow: ALLOW_PBX } } : { status })
}
