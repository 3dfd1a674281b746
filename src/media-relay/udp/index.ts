import type { Logger } from '../../shared/log.ts'
import { createNativeStack } from './native-stack.ts'
import { createNodeStack } from './node-stack.ts'
import { OpenFiles } from './open-files.ts'
import { loadSystem } from './system.ts'
import type { UdpStack } from './types.ts'

/** How a relay opens its sockets. `auto`: by the native stack where there is one. */
export type SocketChoice = 'auto' | 'node'

/**
 * Opens the stack of a thread.
 *
 * @param memory of {@link OpenFiles}, shared with the thread that closes what this one may leave open
 */
export async function openUdpStack(
  choice: SocketChoice,
  memory: SharedArrayBuffer,
  log: Logger,
): Promise<UdpStack> {
  if (choice === 'node') return createNodeStack()
  try {
    return createNativeStack(await loadSystem(), new OpenFiles(memory))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    log.warn({ detail }, 'media sockets by Node: each packet takes about twice the processor time')
    return createNodeStack()
  }
}

/** Closes what a thread that has ended left open. */
export async function closeRemaining(memory: SharedArrayBuffer): Promise<void> {
  const remaining = new OpenFiles(memory).remaining()
  if (remaining.length === 0) return
  const system = await loadSystem()
  for (const fd of remaining) system.close(fd)
}

export { createNodeStack } from './node-stack.ts'
export { OpenFiles } from './open-files.ts'
export type { Source, UdpSocket, UdpStack } from './types.ts'
