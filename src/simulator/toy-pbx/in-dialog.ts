import type { Dialog, SrfRequest, SrfResponse } from 'drachtio-srf'

/** The answer to a re-INVITE of ours. */
export interface Reinvited {
  status: number
  /** SDP of a 200. */
  sdp: string
  /** Given when the re-INVITE had no offer: sends the ACK with our answer. */
  acknowledge: ((sdp: string) => void) | undefined
}

/**
 * Sends a re-INVITE, without `sdp` one that asks for an offer. The dialog's own `modify` waits for
 * ever after a refusal.
 */
export function reinvite(dialog: Dialog, sdp: string | undefined): Promise<Reinvited> {
  const request = {
    method: 'INVITE',
    headers: contactOf(dialog),
    ...(sdp === undefined ? { noAck: true } : { body: sdp }),
  }
  return new Promise((resolve, reject) => {
    // Untrue to its type, drachtio-srf passes the function for the ACK too.
    const done = (
      error: Error | null,
      response: SrfResponse,
      ack?: (options: { body: string }) => void,
    ): void => {
      if (error) reject(error)
      else if (response.status >= 200) {
        resolve({
          status: response.status,
          sdp: response.body,
          acknowledge: ack && ((body) => ack({ body })),
        })
      }
    }
    dialog.request(request as unknown as SrfRequest, done)
  })
}

/** Sends an UPDATE with an offer (RFC 3311). */
export async function update(
  dialog: Dialog,
  body: string,
): Promise<{ status: number; sdp: string }> {
  const headers = { ...contactOf(dialog), 'Content-Type': 'application/sdp' }
  const request = { method: 'UPDATE', headers, body }
  const response = await dialog.request(request as unknown as SrfRequest)
  return { status: response.status, sdp: response.body }
}

function contactOf(dialog: Dialog): Record<string, string> {
  const { contact } = dialog.local as { contact?: string }
  return contact ? { Contact: contact } : {}
}

/** Sends REFER (RFC 3515) and gives the status; what comes of it arrives as NOTIFY. */
export async function refer(dialog: Dialog, target: string, referredBy: string): Promise<number> {
  const request = {
    method: 'REFER',
    headers: { 'Refer-To': `<${target}>`, 'Referred-By': `<${referredBy}>` },
  }
  const response = await dialog.request(request as unknown as SrfRequest)
  return response.status
}

/** `Replaces` of a dialog as the far end knows it (RFC 3891 §3). */
export function replacesOf(dialog: Dialog): string {
  const { callId, localTag, remoteTag } = dialog.sip
  return `${callId};to-tag=${remoteTag};from-tag=${localTag}`
}
