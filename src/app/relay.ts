import type { MediaConfig } from '../config/types.ts'
import { createAnchoredRelay, createNoneRelay, type MediaRelay } from '../media/index.ts'
import { createRtpengineRelay } from '../media/rtpengine/index.ts'
import { createEmbeddedRelay } from '../media-relay/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'

/**
 * Starts the media relay the configuration names.
 * @throws CausewayError `MEDIA_LISTEN` when the embedded relay cannot bind its address
 */
export async function startRelay(
  config: MediaConfig,
  parts: { clock: Clock; random: Random; log: Logger },
): Promise<MediaRelay> {
  const { relay: kind } = config
  if (kind === 'none') return createNoneRelay(parts.random)
  const anchor =
    kind === 'embedded'
      ? await createEmbeddedRelay({
          listen: config.listen,
          externalAddress: config.externalAddress,
          ports: config.ports,
          workers: config.workers,
          sockets: config.sockets,
          transcoding: config.transcoding,
          ...parts,
        })
      : await createRtpengineRelay({ addresses: config.rtpengine, ...parts })
  return createAnchoredRelay({ kind, anchor, ...parts })
}
