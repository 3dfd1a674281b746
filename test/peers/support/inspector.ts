import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds the collections may take. */
const PATIENCE = 10_000

interface Reply {
  id?: number
  method?: string
  params?: { sessionId: string; message?: string }
}

/**
 * Collects the garbage of a process whose inspector listens on a port, of its main thread and of
 * every worker: what is left of its memory then is in use.
 */
export async function collectGarbage(port: number): Promise<void> {
  const list = await fetch(`http://127.0.0.1:${port}/json`)
  const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  let id = 0
  let waiting = 0
  const send = (method: string, params: object = {}): void => {
    socket.send(JSON.stringify({ id: ++id, method, params }))
  }
  const message = JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' })
  const collected = new Promise<void>((resolve) => {
    const one = (): void => {
      if (--waiting === 0) resolve()
    }
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply
      if (reply.method === 'NodeWorker.attachedToWorker') {
        waiting++
        const { sessionId } = reply.params!
        send('NodeWorker.sendMessageToWorker', { sessionId, message })
      }
      // Workers are told of before the answer to what asked for them.
      if (reply.id === 1) {
        waiting++
        send('HeapProfiler.collectGarbage')
      }
      if (reply.method === 'NodeWorker.receivedMessageFromWorker') one()
      else if (reply.id !== undefined && reply.id === id) one()
    })
  })
  send('NodeWorker.enable', { waitForDebuggerOnStart: false })
  await Promise.race([collected, sleep(PATIENCE)])
  socket.close()
}
