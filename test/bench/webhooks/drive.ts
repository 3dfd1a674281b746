import { createHmac } from 'node:crypto'
import { Agent, request } from 'undici'

export interface DriveOptions {
  url: string
  secret: string
  seconds: number
  connections: number
  /** Events a second, sent when they are due whether or not earlier ones were answered; undefined: as many as are answered. */
  rate: number | undefined
}

/** What one step came to. Times in milliseconds from when an event was due to its whole answer. */
export interface Step {
  rate: number | undefined
  seconds: number
  answered: number
  refused: number
  p50: number
  p99: number
  max: number
}

let count = 0

/** Sends signed events over kept connections for some seconds. */
export async function drive(options: DriveOptions): Promise<Step> {
  const { rate, seconds, connections } = options
  const agent = new Agent({ connections, pipelining: 1 })
  const times: number[] = []
  let refused = 0
  const send = async (due: number): Promise<void> => {
    const { body, signature } = event(options.secret)
    const response = await request(options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature },
      body,
      dispatcher: agent,
    })
    await response.body.dump()
    if (response.statusCode !== 200) refused++
    times.push(performance.now() - due)
  }
  const start = performance.now()
  const end = start + seconds * 1000
  if (rate === undefined) {
    const one = async (): Promise<void> => {
      while (performance.now() < end) await send(performance.now())
    }
    await Promise.all(Array.from({ length: connections }, one))
  } else {
    const open: Promise<void>[] = []
    for (let sent = 0; sent < rate * seconds; ) {
      const now = performance.now()
      for (; sent < ((now - start) / 1000) * rate && sent < rate * seconds; sent++) {
        open.push(send(start + (sent / rate) * 1000))
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(open)
  }
  const took = (performance.now() - start) / 1000
  await agent.close()
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0
  return {
    rate,
    seconds: took,
    answered: times.length,
    refused,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
  }
}

/** A `call_created` event of a call of its own. */
function event(secret: string): { body: string; signature: string } {
  const now = Math.floor(Date.now() / 1000)
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '102290129340398',
        changes: [
          {
            field: 'calls',
            value: {
              messaging_product: 'whatsapp',
              metadata: {
                display_phone_number: '441632960123',
                phone_number_id: '106540352242922',
              },
              contacts: [{ profile: { name: 'Camille' }, wa_id: '33199001234' }],
              calls: [
                {
                  id: `wacid.${++count}`,
                  from: '33199001234',
                  to: '441632960123',
                  event: 'call_created',
                  timestamp: String(now),
                  direction: 'USER_INITIATED',
                },
              ],
            },
          },
        ],
      },
    ],
  })
  const digest = createHmac('sha256', secret).update(body).digest('hex')
  return { body, signature: `sha256=${digest}` }
}
