import type { WhatsAppFacts } from '../../calls/index.ts'
import { type ArrivingCall, userParamsOf } from '../../routing/index.ts'
import { detach } from '../../shared/detach.ts'
import { parseParty } from '../address/uri.ts'
import { collectFacts, type HeaderMap, wacidOf } from '../headers/whatsapp.ts'

/** What of WhatsApp's INVITE says who calls and what for. */
export interface ArrivingMessage {
  uri: string
  callId: string
  headers: HeaderMap
  header(name: string): string | undefined
}

/** Who calls, what WhatsApp says of the call, and what the routes of a number look at. */
export interface Arrival {
  facts: WhatsAppFacts
  call: ArrivingCall
}

/**
 * Reads WhatsApp's INVITE; undefined when its From names nobody.
 *
 * @param at milliseconds since the epoch
 */
export function readArrival(message: ArrivingMessage, at: number): Arrival | undefined {
  const caller = parseParty(message.header('from') ?? '')
  if (!caller || caller.user === '') return undefined
  const facts: WhatsAppFacts = {}
  collectFacts(message.headers, facts)
  const wacid = wacidOf(facts, message.callId)
  if (wacid !== undefined) facts.wacid = wacid
  if (caller.display !== '') facts.displayName = detach(caller.display)
  const { country, userId, ctaPayload, deeplinkPayload } = facts
  const payloads = [ctaPayload, deeplinkPayload].filter((payload) => payload !== undefined)
  const consumer = detach(caller.user)
  const params = userParamsOf(message.uri)
  return { facts, call: { params, consumer, country, userId, payloads, at } }
}
