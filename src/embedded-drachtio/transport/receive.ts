import {
  type Flow,
  parseMessage,
  type SipMessage,
  SipParseError,
  stampVia,
} from '../message/index.ts'
import type { TransportContext } from './context.ts'

/**
 * Parses what came in, notes in a request where it came from (RFC 3261 §18.2.1, RFC 3581 §4) and
 * hands it up. Returns whether it was well-formed. Never throws: one bad message, or a fault
 * above, must not end the listener for all the others.
 */
export function receive(bytes: Buffer, flow: Flow, context: TransportContext): boolean {
  context.tap?.see('in', bytes, flow)
  let message: SipMessage
  try {
    message = parseMessage(bytes, context.limits)
  } catch (error) {
    malformed(asParseError(error), flow, context)
    return false
  }
  if (message.kind === 'request') stampVia(message, flow.remoteAddress, flow.remotePort)
  context.metrics.messagesReceived[flow.transport]++
  context.traffic.received(message, flow.peer)
  try {
    context.events.message(message, flow)
  } catch (err) {
    context.log.error({ err, flow }, 'handling of a SIP message failed')
  }
  return true
}

/** Reports a message that does not parse, its partial request stamped so that it can be answered. */
export function malformed(error: SipParseError, flow: Flow, context: TransportContext): void {
  context.metrics.parseErrors[flow.transport]++
  if (error.partial?.kind === 'request') {
    stampVia(error.partial, flow.remoteAddress, flow.remotePort)
  }
  try {
    context.events.malformed(error, flow)
  } catch (err) {
    context.log.error({ err, flow }, 'handling of a malformed SIP message failed')
  }
}

function asParseError(error: unknown): SipParseError {
  if (error instanceof SipParseError) return error
  return new SipParseError(error instanceof Error ? error.message : String(error))
}
