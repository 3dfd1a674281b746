import { setTimeout } from 'node:timers/promises'
import type { NumberView, RotationView } from '../../http/index.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import { type Client, errorOf } from '../client.ts'
import type { Progress } from './progress.ts'

/** Milliseconds between two looks at the progress. */
const LOOK = 250

/**
 * Whether an instance answers there; false when nothing listens at all.
 *
 * @throws CausewayError of an instance that refuses, or of something else that listens
 */
export async function isRunning(client: Client): Promise<boolean> {
  try {
    await client.get('/api/v1/numbers')
    return true
  } catch (error) {
    const nothing = isCausewayError(error) && error.code === 'APP_UNREACHABLE'
    if (nothing && error.detail?.includes('ECONNREFUSED')) return false
    throw error
  }
}

/**
 * Has a running instance rotate the password of a number, and follows it until it has ended.
 *
 * @throws CausewayError the error the rotation could not begin or not be followed with
 */
export async function rotateInInstance(
  client: Client,
  number: string,
  options: { wait: string; resume: boolean },
  progress: Progress,
): Promise<RotationView> {
  const query = new URLSearchParams({ wait: options.wait, resume: String(options.resume) })
  const path = `/api/v1/numbers/${encodeURIComponent(number)}/rotate?${query}`
  const { body } = await client.send<{ rotation: RotationView }>('POST', path)
  let rotation: RotationView | null = body.rotation
  let told = 0
  let trouble: string | undefined
  for (;;) {
    for (const { step, at } of rotation.steps.slice(told)) progress.step(step, Date.parse(at))
    told = rotation.steps.length
    const error = errorOf(rotation.error)
    if (rotation.state === 'running' && error && error.message !== trouble) {
      trouble = error.message
      progress.line(`  ${error.message}; it is tried again`)
    }
    if (rotation.state !== 'running') return rotation
    await setTimeout(LOOK)
    const { numbers } = await client.get<{ numbers: NumberView[] }>('/api/v1/numbers')
    rotation = numbers.find(({ name }) => name === number)?.rotation ?? rotation
  }
}
