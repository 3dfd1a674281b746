import type { NumberView } from '../../http/index.ts'
import type { Simulator } from '../../simulator/index.ts'
import type { Client } from '../client.ts'
import { DEMO } from './configuration.ts'
import { until } from './steps.ts'
import type { World } from './world.ts'

/** Milliseconds the settings of the numbers may take. */
const PATIENCE = 5000

/**
 * Waits until the numbers are as configured and their SIP passwords are known, and looks at
 * WhatsApp's side of them: the settings API alone may have put it there.
 *
 * @returns one line about it
 */
export async function numberReady(world: World, signal: AbortSignal): Promise<string> {
  const { simulator, instance, api } = world
  await until(
    'the numbers as configured, their credentials fetched',
    PATIENCE,
    signal,
    async () => {
      const { numbers } = await api.get<{ numbers: NumberView[] }>('/api/v1/numbers')
      for (const { status, error } of numbers) {
        const { code, detail } = (error ?? {}) as { code?: string; detail?: string }
        if (status === 'failed') throw new Error(`${code}: ${detail ?? 'settings failed'}`)
      }
      return numbers.every(({ status, credentials }) => status === 'ok' && credentials)
    },
  )
  const { port } = instance.addresses.sip.whatsapp
  const said = Object.values(DEMO.numbers).map((number) => proven(simulator, number, port))
  const { requests } = simulator.graph
  const [writes, reads] = [requests.of('POST').length, requests.of('GET').length]
  return `${said.join(', ')}; credentials fetched (settings API: ${count(reads, 'read')}, ${count(writes, 'write')})`
}

type DemoNumber = (typeof DEMO.numbers)[keyof typeof DEMO.numbers]

/** What WhatsApp has stored of a number, in words; throws when that is not as asked for. */
function proven(
  simulator: Simulator,
  { phoneNumber, phoneNumberId, srtp }: DemoNumber,
  port: number,
): string {
  const stored = simulator.store.lookupNumberById(phoneNumberId)
  const server = stored && simulator.store.sipServerFor(stored)
  const wrong = [
    [server?.status === 'ENABLED', 'SIP is not enabled'],
    [server?.hostname === DEMO.domain, `its SIP server is ${server?.hostname}`],
    [server?.port === port, `its port is ${server?.port}, not ${port}`],
    [server?.srtp === srtp, `its key exchange is ${server?.srtp}`],
  ].find(([fine]) => !fine)
  if (wrong) throw new Error(`${phoneNumber} is not as asked for at WhatsApp: ${wrong[1]}`)
  return `${phoneNumber} has SIP enabled at ${DEMO.domain}:${port} with ${srtp}`
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

/** Waits until every health check passes. @returns one line about it */
export async function allPass(api: Client, signal: AbortSignal): Promise<string> {
  type Checks = Record<string, { componentId: string; status: string; output: string }[]>
  let missing = ''
  const passed = await until('every check of /healthz', 2000, signal, async () => {
    const { body } = await api.send<{ checks: Checks }>('GET', '/healthz', [503])
    const checks = Object.values(body.checks).flat()
    const bad = checks.find((check) => check.status !== 'pass')
    missing = bad ? `${bad.componentId}: ${bad.output}` : ''
    return bad === undefined && checks.length
  }).catch((error: Error) => {
    throw new Error(missing ? `${error.message}; ${missing}` : error.message)
  })
  return `${passed} of ${passed} checks of /healthz pass`
}

/**
 * Asks the consumer for permission to call, as WhatsApp demands, and waits for it.
 *
 * @returns one line about it
 */
export async function permissionToCall(simulator: Simulator, signal: AbortSignal): Promise<string> {
  const base = `${simulator.graphUrl}/v24.0/${DEMO.numbers.sales.phoneNumberId}`
  const authorization = `Bearer ${DEMO.accessToken}`
  const text = 'May we call you?'
  const request = {
    messaging_product: 'whatsapp',
    to: DEMO.consumer,
    type: 'interactive',
    interactive: {
      type: 'call_permission_request',
      action: { name: 'call_permission_request' },
      body: { text },
    },
  }
  const sent = await fetch(`${base}/messages`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  })
  if (!sent.ok) throw new Error(`the request was answered ${sent.status}: ${await sent.text()}`)
  const status = await until('the consumer’s permission', 2000, signal, async () => {
    const query = `user_wa_id=${DEMO.consumer.slice(1)}`
    const answer = await fetch(`${base}/call_permissions?${query}`, {
      headers: { authorization },
      signal,
    })
    const { permission } = (await answer.json()) as { permission?: { status: string } }
    return permission && permission.status !== 'no_permission' && permission.status
  })
  return `${DEMO.consumer} was asked “${text}” and allows calls (${status})`
}
