/**
 * What applications may rely on, whichever server they are connected to: drachtio-srf on one side,
 * a scripted UDP peer on the other. Nothing else may use the server meanwhile.
 */

import { b2buaCases } from './b2bua.ts'
import { runCases, type Suite } from './cases.ts'
import { incomingCases } from './incoming.ts'
import { insideCases } from './inside.ts'
import { outgoingCases } from './outgoing.ts'
import type { ServerUnderTest } from './srf.ts'
import { wireCases } from './wire.ts'

/** Runs the contract against a server given by address. */
export async function contractSuite(t: Suite, server: ServerUnderTest): Promise<void> {
  await runCases(t, server, {
    ...wireCases,
    ...incomingCases,
    ...outgoingCases,
    ...insideCases,
    ...b2buaCases,
  })
}
