import type { NumberConfig, TrunkConfig } from '../../src/config/types.ts'
import type { AnchorAbilities, MediaEvent } from '../../src/media/anchor/types.ts'
import { createAnchoredRelay, type MediaSession } from '../../src/media/index.ts'
import { isCausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { numberConfig, trunkConfig } from './configs.ts'
import { FakeAnchor, type FakeAnchorCall } from './fake-anchor.ts'
import { FakeRandom } from './fake-random.ts'
import { sdpFixture } from './sdp-fixtures.ts'

/** What a call of the lab differs in. */
export interface LabCall {
  srtp?: TrunkConfig['media']['srtp']
  codecs?: string[]
  dtmf?: TrunkConfig['media']['dtmf']
  /** Key exchange of the number towards WhatsApp; default SDES. */
  whatsapp?: 'SDES' | 'DTLS'
  additional?: ('PCMA' | 'PCMU')[]
  earlyMedia?: boolean
  abilities?: Partial<AnchorAbilities>
}

export interface Lab {
  session: MediaSession
  call: FakeAnchorCall
  events: MediaEvent[]
}

/** A trunk of the lab: plain RTP unless said, at a LAN address. */
export function labTrunk(change: LabCall = {}): TrunkConfig {
  return trunkConfig({
    media: {
      srtp: change.srtp ?? 'none',
      codecs: change.codecs ?? ['opus', 'PCMA', 'PCMU'],
      dtmf: change.dtmf ?? 'rfc4733',
    },
  })
}

function labNumber(change: LabCall): NumberConfig {
  const { inbound } = numberConfig()
  return numberConfig({
    calling: {
      srtp_key_exchange_protocol: change.whatsapp ?? 'SDES',
      audio: { additional_codecs: change.additional ?? [] },
    },
    inbound: inbound && { ...inbound, earlyMedia: change.earlyMedia ?? false },
  })
}

/** A session at a {@link FakeAnchor}. */
export function openLab(change: LabCall = {}): Lab {
  const anchor = new FakeAnchor(change.abilities)
  const log = silentLogger()
  const relay = createAnchoredRelay({ kind: 'embedded', anchor, random: new FakeRandom(), log })
  const events: MediaEvent[] = []
  const session = relay.allocate({
    id: 'call',
    trunk: labTrunk(change),
    number: labNumber(change),
    listener: (event) => events.push(event),
  })
  return { session, call: anchor.calls[0]!, events }
}

/** Code and SIP status a promise rejects with; `accepted` when it does not. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (isCausewayError(error)) return `${error.code} ${error.sip}`
    throw error
  }
  return 'accepted'
}

/** A business-initiated call that is up: Asterisk, plain, Opus through to WhatsApp by SDES. */
export async function establishedLab(
  change: LabCall = {},
  offer = sdpFixture('asterisk-offer'),
): Promise<Lab & { answer: string }> {
  const lab = openLab(change)
  await lab.session.offer('pbx', offer)
  const answer = await lab.session.answer('whatsapp', whatsAppAnswer(111, 126))
  return { ...lab, answer }
}

/** WhatsApp's SDES answer in the payload types it was offered. */
export function whatsAppAnswer(audio: number, event: number): string {
  return sdpFixture('whatsapp-sdes-answer')
    .replaceAll('107', String(audio))
    .replaceAll('101', String(event))
}
