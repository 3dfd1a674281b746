/**
 * The embedded relay as a process of its own, made as `causeway up` makes it: a main thread that asks
 * and one worker that carries media. Told over IPC what to do, so that its processor time and memory
 * are the relay's alone.
 */
import { createEmbeddedRelay } from '../../../src/media-relay/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { createLogger } from '../../../src/shared/log.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { CallSet } from './call-set.ts'
import type { RelayAnswer, RelayRequest } from './relays.ts'

const [min, max, transcoding] = process.argv.slice(2, 5).map(Number)
const anchor = await createEmbeddedRelay({
  listen: '127.0.0.1',
  ports: { min: min!, max: max! },
  workers: 1,
  transcoding: transcoding!,
  sockets: process.argv[5] === 'node' ? 'node' : 'auto',
  clock: systemClock,
  random: systemRandom,
  log: createLogger({ level: 'warn', numbers: 'full', destination: process.stderr }),
})
const set = new CallSet(anchor)

async function perform(request: RelayRequest): Promise<unknown> {
  switch (request.op) {
    case 'setUp':
      return set.setUp(request.mode, request.ends)
    case 'measure':
      return set.measureSetUp(request.mode, request.end, request.calls, request.together)
    case 'release':
      return set.release()
  }
}

process.on('message', ({ id, request }: { id: number; request: RelayRequest }) => {
  const answer = (message: RelayAnswer): void => void process.send?.(message)
  perform(request).then(
    (value) => answer({ id, value }),
    (error: unknown) => answer({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ id: 0 } satisfies RelayAnswer)
