/** Entry of a relay's worker thread. */

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../shared/clock.ts'
import { createLogger } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { FromWorker, ThreadInput, ToWorker } from '../protocol/messages.ts'
import { packError } from '../protocol/pack.ts'
import { createHost, type RelayHost } from './host.ts'

const input = workerData as ThreadInput
const post = (message: FromWorker): void => parentPort?.postMessage(message)
const log = createLogger({
  level: input.logLevel,
  // Masked by the parent, which knows what its operator wants.
  numbers: 'full',
  destination: { write: (line) => post({ kind: 'log', line }) },
})
const starting = createHost(input, { clock: systemClock, random: systemRandom, log, post })

function serve(host: RelayHost): void {
  parentPort?.on('message', (message: ToWorker) => {
    if (message.kind !== 'close') host.receive(message)
    // The DTLS library's callbacks would keep the thread.
    else void host.close().then(() => parentPort?.close())
  })
  // A thread that ends with open sockets may take the process along: close them first.
  process.on('uncaughtException', (error) => {
    post({ kind: 'failed', error: packError(error) })
    void host.close().finally(() => process.exit(1))
  })
  post({ kind: 'ready' })
}

starting.then(serve, (error: unknown) => {
  post({ kind: 'failed', error: packError(error) })
  parentPort?.close()
})
