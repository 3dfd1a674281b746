import { CausewayError } from '../../shared/errors/index.ts'
import { serializeMessage } from '../message/index.ts'
import type { Flow, SipRequest } from '../message/types.ts'
import type { Target } from '../transport/types.ts'
import type { Core } from './core.ts'
import { addressed } from './via.ts'

/**
 * Sends an ACK for a 2xx: a transaction of its own without response or retransmission (RFC 3261
 * §13.2.2.4), to the first target that takes it. `request` is given the Via it goes out with, in
 * place of one from an earlier sending, so that the caller sees the message as sent.
 */
export function sendAck(
  core: Core,
  request: SipRequest,
  targets: readonly Target[],
  prefer: Flow | undefined,
  sent: (error: Error | undefined) => void,
): void {
  const bare = { ...request, headers: request.headers.filter((line) => line.key !== 'via') }
  let next = 0
  const attempt = (last: Error | undefined): void => {
    const flow = next === 0 ? core.usable(prefer) : undefined
    const target = targets[next++]
    if (!target) {
      sent(last ?? new CausewayError('SIP_NO_TRANSPORT', { detail: `ACK to ${request.uri}` }))
      return
    }
    const message = addressed(core, bare, target, flow)
    if (!message) {
      attempt(last)
      return
    }
    request.headers = message.headers
    request.via = message.via
    let settled = false
    core.transport.sendRequest(target, serializeMessage(message), flow, (error) => {
      if (settled) return
      settled = true
      if (error) attempt(error)
      else sent(undefined)
    })
  }
  attempt(undefined)
}
