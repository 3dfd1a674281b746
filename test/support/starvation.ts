import { Worker } from 'node:worker_threads'

/** Milliseconds between two looks, and for which the worst is remembered. */
const LOOK = 10
const MEMORY = 2000

/** Beside the time of its last look, a thread keeps the worst delay of the present period and the last. */
const beats = new Float64Array(new SharedArrayBuffer(24))

const SOURCE = `
const { beats, look, memory } = require('node:worker_threads').workerData
const now = () => performance.timeOrigin + performance.now()
let due = now() + look
let turned = now()
setInterval(() => {
  const at = now()
  beats[1] = Math.max(beats[1], at - due)
  due = at + look
  if (at - turned > memory) {
    turned = at
    beats[2] = beats[1]
    beats[1] = 0
  }
  beats[0] = at
}, look)
`

let worker: Worker | undefined

/**
 * Milliseconds for which a thread of this process had to wait for a processor lately: so long may any
 * other have stood still, such as the one that sends the media. The first call begins to look.
 */
export function starvation(): number {
  const now = performance.timeOrigin + performance.now()
  if (!worker) {
    beats[0] = now
    worker = new Worker(SOURCE, { eval: true, workerData: { beats, look: LOOK, memory: MEMORY } })
    worker.unref()
    return 0
  }
  return Math.max(beats[1]!, beats[2]!, now - beats[0]! - 2 * LOOK)
}
