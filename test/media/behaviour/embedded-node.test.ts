import { createAnchoredRelay } from '../../../src/media/index.ts'
import { createEmbeddedRelay } from '../../../src/media-relay/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { behaviour } from './suite.ts'

const abilities = { anchors: true, transcodes: true, feeds: true, sees: true }

behaviour('embedded, with Node’s sockets', abilities, async () => {
  const common = { random: systemRandom, log: silentLogger() }
  const anchor = await createEmbeddedRelay({
    listen: '127.0.0.1',
    ports: { min: 44_000, max: 44_999 },
    workers: 1,
    transcoding: 10,
    sockets: 'node',
    clock: systemClock,
    ...common,
  })
  const relay = createAnchoredRelay({ kind: 'embedded', anchor, ...common })
  return { relay, close: () => relay.close() }
})
