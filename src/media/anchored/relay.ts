import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Anchor } from '../anchor/types.ts'
import type { MediaRelay } from '../session.ts'
import { AnchoredSession } from './session.ts'

export interface AnchoredRelayOptions {
  kind: 'embedded' | 'rtpengine'
  anchor: Anchor
  random: Random
  log: Logger
}

/**
 * A media relay over an anchor: the rules of offers and answers here, packets there. Closing it
 * closes the anchor.
 */
export function createAnchoredRelay({
  kind,
  anchor,
  random,
  log,
}: AnchoredRelayOptions): MediaRelay {
  return {
    kind,
    status: () => anchor.status(),
    allocate: (call) => new AnchoredSession(call, anchor, random, log),
    reconfigure: (externalAddress) => anchor.reconfigure?.(externalAddress),
    alive: () => anchor.alive?.() ?? true,
    close: () => anchor.close(),
  }
}
