/** Entry of the thread of the call history. */

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../shared/clock.ts'
import { Backend } from './backend.ts'
import type { BackendOptions, Request } from './messages.ts'

const port = parentPort!
const backend = new Backend(workerData as BackendOptions, {
  reply: (reply) => port.postMessage(reply),
  clock: systemClock,
  pause: () => new Promise((resolve) => setImmediate(resolve)),
})

port.on('message', (request: Request) => {
  void backend.take(request).then(() => {
    if (request.kind === 'close') port.close()
  })
})
