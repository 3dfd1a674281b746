import type { Generated, PbxOptions, TrunkFacts } from '../types.ts'
import { dialplanFile } from './dialplan.ts'
import { transportName, transportsFile } from './transports.ts'
import { trunkFile } from './trunk.ts'

/** Configuration of Asterisk for trunks: transports where none are named, a trunk and a dialplan each. */
export function asterisk(trunks: readonly TrunkFacts[], options: PbxOptions): Generated {
  const transports = options.transport === undefined ? [transportsFile(trunks, options)] : []
  const files = trunks.flatMap((facts) => [
    trunkFile(facts, options, options.transport ?? transportName(trunks, facts)),
    dialplanFile(facts, options),
  ])
  return { files: [...transports, ...files], notes: [] }
}
