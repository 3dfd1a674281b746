/** A thread that binds a port by the native stack, says so, and is ended from outside. */
import { parentPort, workerData } from 'node:worker_threads'
import { openStack } from './stacks.ts'

const { memory, address, port } = workerData as {
  memory: SharedArrayBuffer
  address: string
  port: number
}
const stack = await openStack('native', memory)
await stack.bind(address, port)
parentPort?.postMessage('bound')
