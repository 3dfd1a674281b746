import type { Test } from 'tap'
import {
  createGraphSimulator,
  type GraphSimulatorOptions,
} from '../../../src/simulator/graph/index.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

export const NUMBER = {
  phoneNumberId: '106540352242922',
  phoneNumber: '+441632960123',
  accessToken: 'token-one',
  appId: '634974688087057',
  appSecret: 'app-secret',
}
/** A second app with access to the same number. */
export const OTHER_APP = { ...NUMBER, accessToken: 'token-two', appId: '77', appSecret: 'second' }
/** Another number, which token-one cannot see. */
export const OTHER_NUMBER = {
  ...NUMBER,
  phoneNumberId: '206540352242922',
  phoneNumber: '+441632960124',
  accessToken: 'token-three',
}

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared by t.match
  body: any
  headers: Headers
}

/** A running Graph simulator on a fake clock and two functions that ask it. */
export async function startGraph(t: Test, options: Partial<GraphSimulatorOptions> = {}) {
  const clock = new FakeClock()
  const graph = createGraphSimulator({
    numbers: [NUMBER, OTHER_APP, OTHER_NUMBER],
    clock,
    random: new FakeRandom(11),
    ...options,
  })
  await graph.start()
  t.teardown(() => graph.stop())
  const base = `${graph.url}/v24.0/${NUMBER.phoneNumberId}`

  async function ask(path: string, body?: unknown, token = NUMBER.accessToken): Promise<Answer> {
    const response = await fetch(path.startsWith('http') ? path : base + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json(), headers: response.headers }
  }

  const number = graph.store.lookupNumberById(NUMBER.phoneNumberId)!
  return { graph, clock, number, ask }
}

/** The body that enables everything in one call. */
export const ENABLE = {
  calling: {
    status: 'ENABLED',
    sip: { status: 'ENABLED', servers: [{ hostname: 'wa-trunk.example.com', port: 5061 }] },
    srtp_key_exchange_protocol: 'SDES',
    audio: { additional_codecs: ['PCMA', 'PCMU'] },
  },
}
