import type { NumberConfig, PermissionsConfig } from '../../src/config/types.ts'
import {
  type CallPermission,
  OutboundGate,
  OutcomeWatch,
  PermissionBook,
  type PermissionClient,
  type RequestMessage,
} from '../../src/permissions/index.ts'
import type { NumberStanding } from '../../src/permissions/policy.ts'
import { createLogger } from '../../src/shared/log.ts'
import { numberConfig, trunkConfig } from '../support/configs.ts'
import { FakeClock } from '../support/fake-clock.ts'

export const NOW = Date.parse('2026-06-10T12:00:00Z')
export const HOUR = 3_600_000
export const CONSUMER = '+33199001234'
export const PAIR = '106540352242922 33199001234'

/** A permission as WhatsApp reports it of a consumer who has been asked nothing. */
export function permission(change: Partial<CallPermission> = {}): CallPermission {
  return {
    status: 'no_permission',
    expires: undefined,
    request: {
      allowed: true,
      limits: [
        { period: 'PT24H', max: 1, used: 0, until: undefined },
        { period: 'P7D', max: 2, used: 0, until: undefined },
      ],
    },
    call: { allowed: false, limits: [{ period: 'PT24H', max: 100, used: 0, until: undefined }] },
    ...change,
  }
}

/** One that lets the consumer be called. */
export function granted(change: Partial<CallPermission> = {}): CallPermission {
  const call = {
    allowed: true,
    limits: [{ period: 'PT24H', max: 100, used: 0, until: undefined }],
  }
  return permission({ status: 'permanent', call, ...change })
}

/** A Graph API that answers when the test says so. */
export class FakeClient implements PermissionClient {
  readonly queries: { consumer: string; answer: PromiseWithResolvers<CallPermission> }[] = []
  readonly requests: {
    consumer: string
    message: RequestMessage
    answer: PromiseWithResolvers<string | undefined>
  }[] = []
  /** Answers queries at once. */
  instant: CallPermission | undefined
  closed = false

  query(_number: NumberConfig, consumer: string): Promise<CallPermission> {
    const answer = Promise.withResolvers<CallPermission>()
    this.queries.push({ consumer, answer })
    if (this.instant) answer.resolve(this.instant)
    return answer.promise
  }

  request(_number: NumberConfig, consumer: string, message: RequestMessage) {
    const answer = Promise.withResolvers<string | undefined>()
    this.requests.push({ consumer, message, answer })
    return answer.promise
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** Book, gate and watch on a fake clock and a fake Graph API. */
export function permissionLab(
  permissions: Partial<PermissionsConfig> = {},
  standing: NumberStanding = { restrictions: [], call_hours: undefined },
) {
  const clock = new FakeClock(NOW)
  const client = new FakeClient()
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const book = new PermissionBook(clock, () => client)
  const gate = new OutboundGate({ clock, log, book, standing: () => standing })
  const watch = new OutcomeWatch({ clock, log, book })
  const number = numberConfig()
  const trunk = trunkConfig({
    permissions: { mode: 'check', template: undefined, text: undefined, ...permissions },
  })
  const admit = (consumer = CONSUMER) => gate.admit(number, trunk, consumer)
  const facts = (consumer = CONSUMER) => ({
    number: number.name,
    phoneNumberId: number.phoneNumberId,
    consumer,
  })
  return { clock, client, lines, book, gate, watch, number, trunk, admit, facts }
}

/** Lets promises settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
