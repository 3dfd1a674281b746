import type { CallRecord } from '../../src/calls/index.ts'
import type { Operations } from '../../src/http/index.ts'
import { CallHistory } from '../../src/records/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { NearThread } from '../records/support.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { httpFixture } from './support.ts'

/** The HTTP interface over a registry and a history in a folder. */
export function storedFixture(folder: string) {
  const clock = new FakeClock()
  const { start } = new NearThread(clock)
  const history = new CallHistory({
    folder,
    config: { keep: 0, maxSize: 0, maxCalls: 0, push: undefined },
    clock,
    log: silentLogger(),
    start,
    busy: 0,
  })
  const calls: Operations['calls'] = {
    active: () =>
      [...fixture.registry.active()].map(({ id }) => fixture.registry.record(id) as CallRecord),
    ended: () => fixture.registry.ended(),
    get: (id) => fixture.registry.record(id),
    report: async () => undefined,
    hangUp: () => false,
    stored: history,
    messages: none,
    pcap: none,
  }
  const fixture: ReturnType<typeof httpFixture> = httpFixture({ calls })
  return { ...fixture, history }
}

function none(id: string): never {
  throw new CausewayError('APP_MESSAGES_NONE', { place: id })
}
