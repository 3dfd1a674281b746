import type { Test } from 'tap'
import type { PbxCall, ToyPbx } from '../../src/simulator/toy-pbx/index.ts'
import { until } from '../support/until.ts'
import { TONES, type WholeLab } from '../support/whole-lab.ts'
import type { Talk } from '../support/whole-talk.ts'

/** SIP URI of an extension of a PBX. */
export function extension(pbx: ToyPbx, user: string): string {
  return `sip:${user}@${pbx.address.host}:${pbx.address.port}`
}

/** A user part for a call of its own, so that its new leg is found. */
export function extensionFor(talk: Talk): string {
  return `2${talk.consumer.slice(-4)}`
}

/** The leg that a transfer brings to an extension. */
export async function arriving(pbx: ToyPbx, user: string): Promise<PbxCall> {
  const find = (): PbxCall | undefined =>
    pbx.calls.find(({ to, state }) => to === user && state === 'answered')
  await until('the new leg', () => find() !== undefined)
  return find()!
}

/** The former leg is gone, the new one speaks with WhatsApp. */
export async function transferred(t: Test, lab: WholeLab, talk: Talk, user: string): Promise<void> {
  const former = talk.pbx
  talk.pbx = await arriving(lab.third!, user)
  await until('the end of the former leg', () => former.state === 'ended')
  t.equal(former.reason, 'hung up by the trunk')
  t.equal(former.notifications.at(-1), 'SIP/2.0 200 OK')
  await talk.whatsappHears(TONES.third)
  await talk.pbxHears(TONES.whatsapp)
}
