import type { SipPort } from '../sip-port.ts'

/** Shortest keypress told to the PBX, milliseconds: devices overhear shorter ones. */
const SHORTEST = 40

/** The keypress as `application/dtmf-relay` writes it; a flash is `!`, as Asterisk reads it. */
export function dtmfRelay(digit: string, durationMs: number): string {
  const signal = digit === 'flash' ? '!' : digit
  return `Signal=${signal}\r\nDuration=${Math.max(SHORTEST, Math.round(durationMs))}\r\n`
}

/** Tells a trunk with `dtmf: info` of a keypress of the WhatsApp user (RFC 6086, legacy usage). */
export function sendDigit(
  port: SipPort,
  dialogId: string,
  digit: string,
  durationMs: number,
  onRefused: (status: number, reason: string) => void,
): void {
  const headers = { 'Content-Type': 'application/dtmf-relay' }
  const body = dtmfRelay(digit, durationMs)
  port.request(
    { method: 'INFO', uri: 'sip:placeholder', headers, body, dialogId },
    {
      onResponse({ status, reason }) {
        if (status >= 300) onRefused(status, reason)
      },
      onError() {},
    },
  )
}
