import { type Flow, type SipMessage, serializeMessage } from '../message/index.ts'
import type { AppConnection } from '../protocol/connection.ts'
import {
  requestSentLeader,
  responseSentLeader,
  sipLeader,
  type WireMeta,
} from '../protocol/leader.ts'
import type { Target } from '../transport/types.ts'

/** Writes the frames that carry SIP messages to applications. */
export class Frames {
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** A message from the network. `outside` adds the address it came in on: new requests only. */
  network(
    app: AppConnection,
    message: SipMessage,
    flow: Flow,
    txn: string,
    dlg: string,
    outside = false,
  ): void {
    const bytes = serializeMessage(message)
    const meta = this.#meta('network', bytes.length, flow)
    const received = outside ? { address: flow.localAddress, port: flow.localPort } : undefined
    app.send(sipLeader(app.mid(), meta, txn, dlg, received), '', bytes)
  }

  /** A response made here in place of one that never came: size 0, no address. */
  local(app: AppConnection, message: SipMessage, txn: string, dlg: string): void {
    const meta = this.#meta('network', 0, undefined)
    app.send(sipLeader(app.mid(), meta, txn, dlg), '', serializeMessage(message))
  }

  /** A request this server sent on its own account. */
  unsolicited(
    app: AppConnection,
    message: SipMessage,
    target: Target | undefined,
    dlg: string,
  ): void {
    const bytes = serializeMessage(message)
    const meta = this.#meta('application', bytes.length, target && targetFlow(target))
    app.send(sipLeader(app.mid(), meta, 'unsolicited', dlg), '', bytes)
  }

  /** The answer to a request the application sent, with the request as sent. */
  requestSent(
    app: AppConnection,
    mid: string,
    message: SipMessage,
    target: Target | undefined,
    txn: string,
  ): void {
    const bytes = serializeMessage(message)
    const meta = this.#meta('application', bytes.length, target && targetFlow(target))
    app.send(requestSentLeader(app.mid(), mid, meta, txn), '', bytes)
  }

  /** The answer to a response the application sent, with the response as sent. */
  responseSent(
    app: AppConnection,
    mid: string,
    message: SipMessage,
    flow: Flow,
    txn: string,
    dlg: string,
  ): void {
    const bytes = serializeMessage(message)
    const meta = this.#meta('application', bytes.length, flow)
    app.send(responseSentLeader(app.mid(), mid, meta, txn, dlg), '', bytes)
  }

  #meta(
    source: WireMeta['source'],
    size: number,
    at: Pick<Flow, 'transport' | 'remoteAddress' | 'remotePort'> | undefined,
  ): WireMeta {
    return {
      source,
      size,
      transport: at?.transport ?? '',
      address: at?.remoteAddress ?? '',
      port: at?.remotePort ?? 0,
      time: this.#now(),
    }
  }
}

function targetFlow(target: Target): Pick<Flow, 'transport' | 'remoteAddress' | 'remotePort'> {
  return {
    transport: target.transport,
    remoteAddress: target.address,
    remotePort: target.port,
  }
}
