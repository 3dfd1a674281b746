import { createNoneRelay } from '../../../src/media/index.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { behaviour } from './suite.ts'

behaviour('none', { anchors: false, transcodes: false, feeds: false, sees: false }, async () => ({
  relay: createNoneRelay(systemRandom),
  close: async () => {},
}))
