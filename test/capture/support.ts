import type { KeptMessage } from '../../src/capture/index.ts'
import type { WireMessage } from '../../src/shared/wire-message.ts'

/** A SIP message as the tap tells it; any field may be replaced. */
export function wire(
  change: Partial<WireMessage> & { callId?: string; start?: string } = {},
): WireMessage {
  const { callId = 'one@pbx', start = 'INVITE sip:a@b SIP/2.0', ...rest } = change
  const method = start.startsWith('SIP/') ? 'INVITE' : start.split(' ')[0]
  return {
    at: 1_000,
    dir: 'in',
    transport: 'udp',
    localAddress: '10.0.0.5',
    localPort: 5060,
    remoteAddress: '10.0.0.9',
    remotePort: 5062,
    text: `${start}\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`,
    ...rest,
  }
}

export function kept(change: Partial<KeptMessage> = {}): KeptMessage {
  return { ...wire(change), callId: 'one@pbx', ...change }
}
