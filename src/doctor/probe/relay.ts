import type { MediaConfig } from '../../config/types.ts'
import { createEmbeddedRelay } from '../../media-relay/index.ts'
import type { Clock } from '../../shared/clock.ts'
import { silentLogger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'

/** Starts an embedded relay that takes no calls. */
export type StartRelay = (
  media: MediaConfig,
  parts: { clock: Clock; random: Random },
) => Promise<{ close(): Promise<void> }>

/**
 * One worker on loopback: it binds none of the ports of calls.
 *
 * @throws CausewayError when it cannot be started
 */
export const startRelay: StartRelay = ({ ports, sockets }, parts) =>
  createEmbeddedRelay({
    listen: '127.0.0.1',
    ports,
    workers: 1,
    transcoding: 0,
    sockets,
    log: silentLogger(),
    ...parts,
  })
