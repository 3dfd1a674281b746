import { CausewayError } from '../shared/errors/index.ts'
import type { CallList } from './calls/source.ts'
import type { Client } from './client.ts'

/**
 * Causeway's ID of a call named by its own or by WhatsApp's.
 *
 * @throws CausewayError APP_CALL_UNKNOWN
 */
export async function callIdIn(name: string, client: Client): Promise<string> {
  if (!name.startsWith('wacid.')) return name
  const query = new URLSearchParams({ wacid: name, limit: '1' })
  const { calls } = await client.get<CallList>(`/api/v1/calls?${query}`)
  const [call] = calls
  if (!call) throw new CausewayError('APP_CALL_UNKNOWN', { place: name })
  return call.id
}
