import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Simulator, startSimulator } from '../../../src/simulator/index.ts'
import { startToyPbx, type ToyPbx } from '../../../src/simulator/toy-pbx/index.ts'
import { ScriptedTarget } from '../../events/support.ts'
import { until } from '../../support/until.ts'
import { Causeway } from './causeway.ts'

export const NUMBER_ID = '106540352242922'
export const BUSINESS = '+441632960123'
export const CONSUMER = '+33199001234'
export const SECRETS = {
  app: 'appSecretNobodyMaySee',
  verify: 'verifyTokenNobodyMaySee',
  crm: 'crmSecretNobodyMaySee',
  token: 'graphTokenNobodyMaySee',
}
const DOMAIN = 'sip.example.com'

/** Simulator, toy PBX and CRM around `causeway up`, with webhooks from one to the other. */
export interface WebhookLab {
  simulator: Simulator
  pbx: ToyPbx
  crm: ScriptedTarget
  up: Causeway
  /** Base URL of its HTTP interface. */
  http: string
  /** Where webhooks go. */
  hook: string
  folder: string
  file: string
  /** JSON of a path of the API. */
  get<T>(path: string): Promise<T>
  /** Samples of the metrics whose names begin so: `name{labels}` to value. */
  metrics(prefix: string): Promise<Record<string, number>>
}

/** Milliseconds other processes may take on a busy machine. */
/** Starts the lab; at the end SIGTERM has to give exit code 0, and no secret may be told. */
export async function withWebhooks(
  t: Test,
  body: (lab: WebhookLab) => Promise<void>,
): Promise<void> {
  t.setTimeout(240_000)
  const folder = mkdtempSync(join(tmpdir(), 'causeway-webhooks-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const simulator = await startSimulator({
    numbers: [
      {
        phoneNumber: BUSINESS,
        phoneNumberId: NUMBER_ID,
        appId: 'app',
        accessToken: SECRETS.token,
        appSecret: SECRETS.app,
      },
    ],
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1' } },
  })
  t.teardown(() => simulator.close())
  const pbx = await startToyPbx({ ringMs: 50, srtp: 'none' })
  t.teardown(() => pbx.close())
  const crm = await ScriptedTarget.start(t)
  const file = join(folder, 'causeway.yaml')
  writeFileSync(file, JSON.stringify(configuration(simulator, pbx, crm)))
  const up = new Causeway(['up', '-c', file, '--json', '--drain', '1s'])
  t.teardown(() => void up.signal('SIGKILL'))
  await up.printed(/^\{"event":"ready"/m)
  const { http, udp } = await up.ready()
  pbx.settings.trunk = `sip:127.0.0.1:${udp}`
  const get = async <T>(path: string): Promise<T> => (await (await fetch(http + path)).json()) as T
  const lab: WebhookLab = {
    simulator,
    pbx,
    crm,
    up,
    http,
    hook: `${http}/webhooks/whatsapp`,
    folder,
    file,
    get,
    async metrics(prefix) {
      const text = await (await fetch(`${http}/metrics`)).text()
      const lines = text.split('\n').filter((line) => line.startsWith(prefix))
      return Object.fromEntries(
        lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
      )
    },
  }
  try {
    await until('the settings of the number', async () => {
      const { numbers } = await get<{ numbers: { status: string }[] }>('/api/v1/numbers')
      return numbers[0]?.status === 'ok'
    })
    await body(lab)
  } catch (error) {
    t.comment(up.output.slice(-4000))
    throw error
  }
  t.equal(await up.stop(), 0, 'exit code after SIGTERM')
  const told = Object.entries(SECRETS).filter(([, secret]) => up.output.includes(secret))
  t.same(told, [], 'no secret is told')
}

function configuration(simulator: Simulator, pbx: ToyPbx, crm: ScriptedTarget): object {
  const { cert, key } = simulator.issueCertificate([DOMAIN])
  return {
    sip: {
      domain: DOMAIN,
      listen: { whatsapp: 'tls://127.0.0.1:0', pbx: ['udp://127.0.0.1:0'] },
      tls: { cert, key },
    },
    media: { relay: 'embedded', listen: '127.0.0.1' },
    whatsapp: {
      graph_url: simulator.graphUrl,
      sip_proxy: simulator.sipProxy,
      ca: simulator.caFile,
      sources: ['127.0.0.1/32'],
      webhooks: { verify_token: SECRETS.verify, app_secret: SECRETS.app },
    },
    numbers: [
      {
        name: 'support',
        phone_number: BUSINESS,
        phone_number_id: NUMBER_ID,
        access_token: SECRETS.token,
        manage: 'apply',
        calling: {
          status: 'ENABLED',
          srtp_key_exchange_protocol: 'SDES',
          sip: { status: 'ENABLED', webhook_delivery: 'ENABLED' },
        },
        inbound: { trunk: 'main' },
      },
    ],
    trunks: [
      {
        name: 'main',
        targets: [pbx.uri],
        accept: { from: ['127.0.0.0/8'] },
        media: { srtp: 'none', codecs: ['opus'] },
        outbound: { number: 'support' },
      },
    ],
    http: { listen: '127.0.0.1:0' },
    records: { path: 'data' },
    events: { webhooks: [{ url: crm.url, secret: SECRETS.crm }] },
  }
}
