import { createHash } from 'node:crypto'
import { redactedConfig } from '../config/index.ts'
import type { Config } from '../config/types.ts'

const hashes = new WeakMap<Config, string>()

/** Twelve hexadecimal digits that tell configurations apart; without their secrets, so that they may be shown. */
export function configHash(config: Config): string {
  let hash = hashes.get(config)
  if (hash === undefined) {
    const text = JSON.stringify(redactedConfig(config))
    hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
    hashes.set(config, hash)
  }
  return hash
}
