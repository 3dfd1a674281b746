import { answerChallenge, chooseChallenge } from '../../src/bridge/digest/answer.ts'
import { Secret } from '../../src/shared/secret.ts'
import type { Address, ExtraHeaders, PeerDialog, PeerMessage, SipPeer } from './sip-peer.ts'

/** The account a scripted PBX registers with. */
export const ACCOUNT = { username: 'pbx', password: 'pbx-in-password' }

export interface RegisterOptions {
  /** The whole Contact; the peer's own by default. */
  contact?: string
  headers?: ExtraHeaders
  password?: string
  algorithm?: 'MD5' | 'SHA-256'
  /** A registration of its own is begun without. */
  dialog?: PeerDialog
}

/** A scripted PBX registers: once unasked, once with the digest. */
export async function registerAt(
  peer: SipPeer,
  server: Address,
  { contact, headers, password = ACCOUNT.password, algorithm, dialog }: RegisterOptions = {},
): Promise<{ dialog: PeerDialog; challenge: PeerMessage; answer: PeerMessage }> {
  const uri = `sip:${server.host}:${server.port}`
  const record = `<sip:${ACCOUNT.username}@${server.host}>`
  const own = dialog ?? peer.dialog(server, { uri, from: record, to: record })
  if (contact !== undefined) own.contact = contact
  const sent = own.request('REGISTER', headers ? { headers } : {})
  const about = (request: PeerMessage) => (message: PeerMessage) =>
    message.status > 0 && message.cseq === request.cseq && message.method === 'REGISTER'
  const challenge = await peer.expect(about(sent))
  const lines = challenge
    .all('www-authenticate')
    .filter((line) => algorithm === undefined || line.includes(`algorithm=${algorithm}`))
  const chosen = chooseChallenge({ www: lines.join(', ') || undefined, proxy: undefined })
  if (!chosen) return { dialog: own, challenge, answer: challenge }
  const authorization = answerChallenge(
    chosen,
    { username: ACCOUNT.username, password: new Secret(password) },
    { method: 'REGISTER', uri, count: 1, cnonce: 'c0ffee' },
  )
  const again = own.request('REGISTER', { headers: { ...headers, Authorization: authorization } })
  return { dialog: own, challenge, answer: await peer.expect(about(again)) }
}
