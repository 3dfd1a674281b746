import type { Test } from 'tap'
import type { TrunkConfig } from '../../../src/config/types.ts'
import { type BridgeLab, bare, settle } from '../../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'

/** A target at a host. */
export const target = (host: string) => ({
  ...{ uri: `sip:${host}:5060`, host, port: 5060, transport: 'udp' as const, weight: 1 },
})

/** A trunk `main` with two targets. */
export const two = (change: Partial<TrunkConfig> = {}) =>
  trunkConfig({ targets: [target('10.0.0.9'), target('10.0.0.10')], ...change })

/** A trunk with one target, for calls that overflow. */
export const backup = (change: Partial<TrunkConfig> = {}) =>
  trunkConfig({ name: 'backup', targets: [target('10.1.0.9')], ...change })

/** A number whose calls go on to the trunk `backup`. */
export function overflowing() {
  const inbound = numberConfig().inbound!
  return numberConfig({ inbound: { ...inbound, overflow: [{ ...inbound, trunk: 'backup' }] } })
}

/** Hosts of the INVITEs that were sent, in order. */
export function tried({ port }: BridgeLab): string[] {
  return port.sent
    .filter(({ request }) => request.method === 'INVITE')
    .map(({ request }) => /@([^:;]+)/.exec(request.uri)![1]!)
}

/** A call of a WhatsApp user that has got as far as its first target. */
export async function call(lab: BridgeLab) {
  const invite = lab.fromWhatsApp()
  await settle()
  return invite
}

/** What is thought of a target. */
export const stateOf = (lab: BridgeLab, index = 0) => lab.bridge.status().targets[index]!

/** Answers the last INVITE, and ends the call. */
export async function finish(t: Test, lab: BridgeLab, invite: Awaited<ReturnType<typeof call>>) {
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(invite.last?.status, 200)
  lab.inDialog('BYE', invite.madeDialog)
  return bare(t, lab)
}
