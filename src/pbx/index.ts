import type { Config, TrunkConfig } from '../config/types.ts'
import { asterisk } from './asterisk/index.ts'
import { factsOf } from './facts.ts'
import { freeswitch } from './freeswitch/index.ts'
import { notesOf } from './notes.ts'
import type { Generated, PbxKind, PbxOptions } from './types.ts'

export type { Generated, PbxFile, PbxKind, PbxOptions } from './types.ts'

const WRITERS = { asterisk, freeswitch }

/**
 * The PBX's configuration for trunks of Causeway.
 * @throws CausewayError `APP_PBX_VALUE`: a value the PBX's files cannot hold
 */
export function pbxConfiguration(
  kind: PbxKind,
  config: Config,
  trunks: readonly TrunkConfig[],
  options: PbxOptions,
): Generated {
  const facts = trunks.map((trunk) => factsOf(config, trunk, options))
  const { files, notes } = WRITERS[kind](facts, options)
  return { files, notes: [...notesOf(facts, options), ...notes] }
}
