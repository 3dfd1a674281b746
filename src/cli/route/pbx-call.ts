import { Directory } from '../../bridge/admit/directory.ts'
import { chooseNumberOf, readDialled } from '../../bridge/admit/pbx-gate.ts'
import { inviteToWhatsApp } from '../../bridge/headers/invite-whatsapp.ts'
import type { Config, TrunkConfig } from '../../config/types.ts'
import type { SourceFinding } from '../../routing/index.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import type { PastedInvite } from './pasted-invite.ts'
import { type ShownInvite, UNSENT } from './shown-invite.ts'

/** How a call from the PBX is known to belong to its trunk. */
export type TrunkBy = 'option' | 'source' | 'credentials' | undefined

/** Which number a call from the PBX leaves from, whom it calls, and why. */
export interface PbxExplanation {
  side: 'pbx'
  trunk: string | undefined
  trunk_by: TrunkBy
  source: string | undefined
  /** What was looked at for the number, in order. */
  sources: SourceFinding[]
  /** What named the number, as in the record of the call. */
  route: string | undefined
  number: string | undefined
  business: string | undefined
  /** What was dialled, without a prefix that is taken off. */
  dialled: string | undefined
  consumer: string | undefined
  /** What is done about the consumer’s permission before the INVITE. */
  permissions: TrunkConfig['permissions']['mode'] | undefined
  /** What the PBX is answered; undefined when the call goes out. */
  refused: { status: number; error: CausewayError } | undefined
  /** What WhatsApp gets. */
  invite: ShownInvite | undefined
}

/** Explains what becomes of an INVITE of the PBX. */
export function explainPbxCall(
  config: Config,
  invite: PastedInvite,
  trunkName: string | undefined,
): PbxExplanation {
  const directory = new Directory(config, config.sip.listen)
  const source = invite.source
  const [trunk, by] = trunkOf(directory, trunkName, source)
  const bare: PbxExplanation = { ...EMPTY, source, trunk: trunk?.name, trunk_by: by }
  if (!trunk) {
    const detail = source ?? 'no source address, and no --trunk'
    return refusedWith(bare, new CausewayError('CALL_PBX_SOURCE_REFUSED', { detail }))
  }
  const { findings, dialled } = chooseNumberOf(directory, trunk, invite)
  const looked = { ...bare, sources: findings, dialled, permissions: trunk.permissions.mode }
  const call = readDialled(directory, trunk, invite)
  if (isCausewayError(call)) return refusedWith(looked, call)
  const { number, consumer, route } = call
  const { sip, whatsapp } = config
  const { uri, from, to } = inviteToWhatsApp({
    number,
    consumer,
    domain: sip.domain,
    port: directory.publicPort(number),
    sipDomain: whatsapp.sipDomain,
    ...UNSENT,
  })
  const shown = { uri, headers: { To: to, From: from } }
  const { name, phoneNumber: business } = number
  return { ...looked, route, number: name, business, consumer, invite: shown }
}

const EMPTY: PbxExplanation = {
  side: 'pbx',
  trunk: undefined,
  trunk_by: undefined,
  source: undefined,
  sources: [],
  route: undefined,
  number: undefined,
  business: undefined,
  dialled: undefined,
  consumer: undefined,
  permissions: undefined,
  refused: undefined,
  invite: undefined,
}

/** The trunk as named, by the address of the caller, or, when there is one alone, by its credentials. */
function trunkOf(
  directory: Directory,
  name: string | undefined,
  source: string | undefined,
): [TrunkConfig | undefined, TrunkBy] {
  if (name !== undefined) return [directory.trunk(name), 'option']
  const known = source === undefined ? undefined : directory.trunkAt(source)
  if (known) return [known, 'source']
  const challenged = directory.config.trunks.filter(({ accept }) => accept.username !== undefined)
  return challenged.length === 1 ? [challenged[0], 'credentials'] : [undefined, undefined]
}

function refusedWith(explanation: PbxExplanation, error: CausewayError): PbxExplanation {
  return { ...explanation, refused: { status: error.sip, error } }
}
