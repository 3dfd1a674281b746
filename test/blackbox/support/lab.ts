import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeCa, makeCert, writeCertificate } from '../../support/certificates.ts'
import { until } from '../../support/until.ts'
import { type Addresses, Causeway } from './causeway.ts'
import { ForeignGraph } from './graph.ts'
import { ForeignPbx } from './pbx.ts'
import { ForeignWhatsApp } from './whatsapp.ts'

export const BUSINESS = '+441632960123'
export const CONSUMER = '+33199001234'
export const NUMBER_ID = '106540352242922'
export const DOMAIN = 'sip.example.com'
/** Everything that must never be seen outside. */
export const SECRETS = {
  token: 'EAAGraphTokenNobodyMaySee',
  sip: 's3cretS3cretS3cretS3cretS3cret12',
  api: 'apiTokenNobodyMaySee',
  pbxIn: 'pbxInNobodyMaySee',
  pbxOut: 'pbxOutNobodyMaySee',
}

// biome-ignore lint/suspicious/noExplicitAny: a configuration is edited freely by the tests
type Yaml = any

export interface Lab {
  graph: ForeignGraph
  wa: ForeignWhatsApp
  pbx: ForeignPbx
  up: Causeway
  at: Addresses
  folder: string
  file: string
  ca: ReturnType<typeof makeCa>
  /** Writes the configuration again after an edit. */
  rewrite(edit: (config: Yaml) => void): void
  /** GET or another method of the HTTP interface, with the token. */
  http(path: string, init?: RequestInit): Promise<Response>
}

export interface LabOptions {
  /** Changes to the configuration before it is written. */
  edit?: (config: Yaml, peers: { pbx: ForeignPbx; graph: ForeignGraph; waPort: number }) => void
  /** The whole file as text instead. */
  text?: (facts: { folder: string; graphUrl: string; waPort: number; pbx: ForeignPbx }) => string
  args?: string[]
  env?: Record<string, string>
}

/**
 * Foreign peers, and Causeway as a child process between them, for the length of `body`. At the end
 * SIGTERM has to give exit code 0, and nothing printed may hold a secret or an inner fault.
 */
export async function withLab(
  t: Test,
  options: LabOptions,
  body: (lab: Lab) => Promise<void>,
): Promise<void> {
  const lab = await openLab(options)
  try {
    const started = await lab.up.ready().catch((error: Error) => error)
    if (started instanceof Error) throw started
    lab.at = started
    await settingsSettled(lab)
    await body(lab)
  } catch (error) {
    // What is going on then is not worth waiting for.
    lab.up.signal('SIGKILL')
    t.comment(lab.up.stdout.slice(-4000))
    throw error
  } finally {
    const code = await lab.up.stop()
    await Promise.all([lab.graph.close(), lab.wa.close(), lab.pbx.close()])
    rmSync(lab.folder, { recursive: true })
    t.equal(code, 0, 'exit code after SIGTERM')
    printsNoSecret(t, lab.up.output)
    const faults = lab.up.stdout.split('\n').filter((line) => /CALL_INTERNAL|"level":60/.test(line))
    t.same(faults, [], 'nothing failed inside')
    t.notMatch(lab.up.stderr, /\n\s+at .*:\d+:\d+/, 'no stack trace')
  }
}

/** No secret of the lab is in the text. */
export function printsNoSecret(t: Test, text: string): void {
  const told = Object.entries(SECRETS).filter(([, secret]) => text.includes(secret))
  t.same(
    told.map(([name]) => name),
    [],
    'no secret is told',
  )
}

async function openLab(options: LabOptions): Promise<Lab> {
  const ca = makeCa()
  const folder = mkdtempSync(join(tmpdir(), 'causeway-blackbox-'))
  const graph = new ForeignGraph(SECRETS.token)
  const wa = new ForeignWhatsApp(makeCert({ ca, dns: ['wa.meta.vc'] }), ca.cert)
  const pbx = new ForeignPbx()
  graph.add(NUMBER_ID, SECRETS.sip)
  const graphUrl = await graph.start()
  const waPort = await wa.start()
  await pbx.start()
  writeFileSync(join(folder, 'ca.pem'), ca.cert)
  writeCertificate(makeCert({ ca, dns: [DOMAIN] }), folder)
  const file = join(folder, 'causeway.yaml')
  const config: Yaml = baseConfig({ graphUrl, waPort, pbx })
  options.edit?.(config, { pbx, graph, waPort })
  const save = (): void => writeFileSync(file, JSON.stringify(config, null, 2))
  const text = options.text?.({ folder, graphUrl, waPort, pbx })
  if (text === undefined) save()
  else writeFileSync(file, text)
  const up = new Causeway(['up', '-c', file, '--json', ...(options.args ?? [])], options.env)
  const lab: Lab = {
    graph,
    wa,
    pbx,
    up,
    at: { http: '', whatsapp: 0, udp: 0, tcp: 0 },
    folder,
    file,
    ca,
    rewrite: (edit) => {
      edit(config)
      save()
    },
    http: (path, init = {}) =>
      fetch(lab.at.http + path, {
        ...init,
        headers: { authorization: `Bearer ${SECRETS.api}`, ...init.headers },
      }),
  }
  return lab
}

/** Hangs up every call in progress, without waiting for its peers. */
export async function hangUpAll(lab: Lab): Promise<void> {
  const response = await lab.http('/api/v1/calls?state=active')
  const { calls } = (await response.json()) as { calls: { id: string }[] }
  for (const { id } of calls) await lab.http(`/api/v1/calls/${id}`, { method: 'DELETE' })
}

/** Waits until the settings of every number were looked at. */
async function settingsSettled(lab: Lab): Promise<void> {
  await until('the settings', async () => {
    const response = await lab.http('/api/v1/numbers')
    const { numbers = [] } = (await response.json()) as { numbers?: { status: string }[] }
    return numbers.every(({ status }) => status !== 'pending')
  })
}

function baseConfig(peers: { graphUrl: string; waPort: number; pbx: ForeignPbx }): Yaml {
  const { graphUrl, waPort, pbx } = peers
  return {
    sip: {
      domain: DOMAIN,
      listen: { whatsapp: 'tls://127.0.0.1:0', pbx: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] },
      tls: { cert: 'cert.pem', key: 'key.pem' },
    },
    media: { relay: 'none' },
    whatsapp: {
      graph_url: graphUrl,
      sip_proxy: `sip:127.0.0.1:${waPort};transport=tls`,
      ca: 'ca.pem',
      sources: ['127.0.0.0/8'],
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
          sip: { status: 'ENABLED' },
        },
        inbound: { trunk: 'main' },
      },
    ],
    trunks: [
      {
        name: 'main',
        targets: [pbx.udpUri],
        accept: { from: ['127.0.0.1/32'] },
        media: { srtp: 'sdes', codecs: ['opus'] },
        outbound: { number: 'support' },
      },
    ],
    http: { listen: '127.0.0.1:0', token: SECRETS.api },
    records: { path: 'data' },
    log: { level: 'info' },
  }
}
