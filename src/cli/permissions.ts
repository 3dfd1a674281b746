import { consumerOf } from '../bridge/address/consumer.ts'
import type { Config, NumberConfig } from '../config/types.ts'
import { createPermissionClient, type PermissionClient } from '../permissions/index.ts'
import { systemClock } from '../shared/clock.ts'
import { silentLogger } from '../shared/log.ts'
import { nearest } from '../shared/nearest.ts'
import { systemRandom } from '../shared/random.ts'
import type { Io } from './io.ts'
import { UsageError } from './verb.ts'

/** Whom a permissions verb is about. */
export interface Pair {
  number: NumberConfig
  /** `+E.164` or BSUID. */
  consumer: string
}

/**
 * The number and consumer the arguments name: a name or phone number of the configuration, and a phone number in
 * any usual spelling or a business-scoped user ID.
 *
 * @throws UsageError
 */
export function readPair(config: Config, [number = '', consumer = '']: readonly string[]): Pair {
  const found = consumerOf(consumer)
  if (found === undefined) {
    const detail = `consumer ${consumer}: expected +33199001234 or a user ID such as FR.13491208655302741918`
    throw new UsageError(detail)
  }
  return { number: numberNamed(config, number), consumer: found }
}

function numberNamed({ numbers }: Config, name: string): NumberConfig {
  const digits = name.replace(/\D/g, '')
  const found =
    numbers.find((number) => number.name === name) ??
    numbers.find(({ phoneNumber }) => digits !== '' && phoneNumber === `+${digits}`)
  if (found) return found
  const known = numbers.map((number) => number.name)
  const close = nearest(name, known)
  const hint = close ? `did you mean ${close}?` : `there are ${known.join(', ') || 'none'}`
  throw new UsageError(`no number ${name}; ${hint}`)
}

/** Works with the Graph API for as long as `work` takes, or until the verb is interrupted. */
export async function withPermissions<T>(
  config: Config,
  io: Io,
  work: (client: PermissionClient) => Promise<T>,
): Promise<T> {
  const client = createPermissionClient({
    whatsapp: config.whatsapp,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  const close = (): void => void client.close()
  io.signal.addEventListener('abort', close, { once: true })
  try {
    return await work(client)
  } finally {
    io.signal.removeEventListener('abort', close)
    await client.close()
  }
}
