import { withVia } from '../message/index.ts'
import type { Flow, SipRequest } from '../message/types.ts'
import type { Target } from '../transport/types.ts'
import type { Core } from './core.ts'

/**
 * The request with a Via for one target: a new branch, our address there, and `rport` on UDP
 * (RFC 3581 §3). `prefer` decides the transport when it is another, as in-dialog requests go by the
 * connection their dialog came on. Undefined when we have no listener of that transport.
 */
export function addressed(
  core: Core,
  request: SipRequest,
  target: Target,
  prefer: Flow | undefined,
): SipRequest | undefined {
  const hop =
    prefer && prefer.transport !== target.transport
      ? {
          transport: prefer.transport,
          address: prefer.remoteAddress,
          port: prefer.remotePort,
          domain: target.domain,
        }
      : target
  const local = core.transport.localFor(hop)
  if (!local) return undefined
  return withVia(request, {
    transport: local.transport.toUpperCase(),
    host: local.host,
    port: local.port,
    branch: core.newBranch(),
    rport: local.transport === 'udp' ? 0 : undefined,
    received: undefined,
  })
}
