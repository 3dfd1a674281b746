import { once } from 'node:events'

interface Message {
  id?: number
  method?: string
  params?: { sessionId: string; message: string }
  result?: { usedSize?: number }
}

/** Bytes of live heap of a Node process started with `--inspect`, all threads, after a collection. */
export async function liveHeap(port: number): Promise<number> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl)
  const pending = new Map<string, (message: Message) => void>()
  const workers = new Set<string>()
  let next = 1
  const take = (from: string, message: Message): void => {
    pending.get(`${from} ${message.id}`)?.(message)
    const { method, params } = message
    if (method === 'NodeWorker.attachedToWorker') workers.add(params!.sessionId)
    if (method === 'NodeWorker.receivedMessageFromWorker') {
      take(params!.sessionId, JSON.parse(params!.message) as Message)
    }
  }
  socket.addEventListener('message', ({ data }) => take('', JSON.parse(String(data)) as Message))
  await once(socket, 'open')

  /** Calls a method in the main thread (session '') or in a worker. */
  function call(sessionId: string, method: string, params: object = {}): Promise<Message> {
    const id = next++
    const message = JSON.stringify({ id, method, params })
    const wrapped = {
      id: next++,
      method: 'NodeWorker.sendMessageToWorker',
      params: { sessionId, message },
    }
    const answer = new Promise<Message>((resolve) => pending.set(`${sessionId} ${id}`, resolve))
    socket.send(sessionId === '' ? message : JSON.stringify(wrapped))
    return answer
  }

  await call('', 'NodeWorker.enable', { waitForDebuggerOnStart: false })
  let bytes = 0
  for (const thread of ['', ...workers]) {
    await call(thread, 'HeapProfiler.collectGarbage')
    bytes += (await call(thread, 'Runtime.getHeapUsage')).result?.usedSize ?? 0
  }
  socket.close()
  return bytes
}
