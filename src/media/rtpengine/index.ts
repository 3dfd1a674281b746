import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { type Anchor, type AnchorStatus, SUITES } from '../anchor/types.ts'
import { RtpengineCall, type RtpengineCallContext } from './call.ts'
import { RtpengineInstance } from './instance.ts'

/**
 * How long an instance may be away until its calls are given up, milliseconds: it may only be
 * unreachable while media flows on, or have ended.
 */
const PATIENCE = { silent: 15_000, refuses: 3000 }

/** What the relay over rtpengine is made of. */
export interface RtpengineOptions {
  /** ng control addresses, `udp://host:port`. */
  addresses: readonly string[]
  clock: Clock
  random: Random
  log: Logger
}

/**
 * An anchor made of one or several rtpengines. New calls go to the one with the fewest calls that
 * answers; a call stays where it began. Resolves when each has been asked once, whether they answer
 * or not.
 */
export async function createRtpengineRelay(options: RtpengineOptions): Promise<Anchor> {
  const { addresses, clock } = options
  const calls = new Map<string, RtpengineCall>()
  const instances = addresses.map(
    (address) =>
      new RtpengineInstance(address, options, (digit) => calls.get(digit.callId)?.pressed(digit)),
  )
  const downSince = new Map<RtpengineInstance, number>()
  await Promise.all(instances.map((instance) => instance.start()))

  const context: RtpengineCallContext = {
    clock,
    choose: (without) =>
      instances
        .filter((instance) => instance.available && !without.has(instance))
        .sort((a, b) => a.calls - b.calls)[0],
    ended: (call) => void calls.delete(call.id),
  }
  let timer = clock.setTimeout(sweep, 1000)
  /** Gives up the calls of an instance that has been gone for too long. */
  function sweep(): void {
    const now = clock.monotonic()
    for (const instance of instances) {
      if (instance.available) {
        downSince.delete(instance)
        continue
      }
      const since = downSince.get(instance) ?? now
      downSince.set(instance, since)
      if (now - since < (instance.refuses ? PATIENCE.refuses : PATIENCE.silent)) continue
      for (const call of calls.values()) {
        if (call.instance === instance) call.lose(`${instance.name}: ${instance.problem}`)
      }
    }
    timer = clock.setTimeout(sweep, 1000)
  }

  const status = (): AnchorStatus => {
    const up = instances.filter((instance) => instance.available).length
    return {
      available: up > 0,
      detail: `${up} of ${instances.length} rtpengine instances answer`,
      calls: calls.size,
      instances: instances.map((instance) => ({
        name: instance.name,
        available: instance.available,
        calls: instance.calls,
        detail: instance.problem ?? 'answers',
      })),
      ports: undefined,
      transcoding: undefined,
      totals: {},
    }
  }

  return {
    abilities: {
      transcodes: ['PCMA', 'PCMU', 'G722'],
      renumbers: false,
      dtlsWithoutIce: true,
      suites: SUITES,
    },
    status,
    allocate(id, listener) {
      const { available, detail } = status()
      if (!available) throw new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail })
      const call = new RtpengineCall(id, listener, context)
      calls.set(id, call)
      return call
    },
    async close() {
      timer.clear()
      await Promise.all([...calls.values()].map((call) => call.release()))
      for (const instance of instances) instance.close()
    },
  }
}
