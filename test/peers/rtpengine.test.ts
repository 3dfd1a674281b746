import { createAnchoredRelay } from '../../src/media/index.ts'
import { createRtpengineRelay } from '../../src/media/rtpengine/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { behaviour } from '../media/behaviour/suite.ts'
import { startRtpengine } from './support/rtpengine.ts'

behaviour(
  'rtpengine',
  { anchors: true, transcodes: true, feeds: false, sees: true, keypresses: false },
  async () => {
    const engines = [await startRtpengine(), await startRtpengine()]
    const common = { random: systemRandom, log: silentLogger() }
    const anchor = await createRtpengineRelay({
      addresses: engines.map(({ ngPort }) => `udp://127.0.0.1:${ngPort}`),
      clock: systemClock,
      ...common,
    })
    const relay = createAnchoredRelay({ kind: 'rtpengine', anchor, ...common })
    return {
      relay,
      async close() {
        await relay.close()
        for (const engine of engines) await engine.stop()
      },
    }
  },
)
