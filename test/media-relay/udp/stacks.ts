import { createNativeStack } from '../../../src/media-relay/udp/native-stack.ts'
import { createNodeStack } from '../../../src/media-relay/udp/node-stack.ts'
import { OpenFiles } from '../../../src/media-relay/udp/open-files.ts'
import { loadSystem } from '../../../src/media-relay/udp/system.ts'
import type { UdpStack } from '../../../src/media-relay/udp/types.ts'

/** What may carry a leg on this machine: a test that knows of both runs with each. */
export const STACKS = ['native', 'node'] as const
export type StackName = (typeof STACKS)[number]

/** Opens a stack; `memory` is where the native one notes its files. */
export async function openStack(
  name: StackName,
  memory: SharedArrayBuffer = OpenFiles.memory(),
): Promise<UdpStack> {
  if (name === 'node') return createNodeStack()
  return createNativeStack(await loadSystem(), new OpenFiles(memory))
}
