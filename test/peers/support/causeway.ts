import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Daemon, startDaemon } from './daemon.ts'
import { peersFolder } from './install.ts'
import { freePort } from './ports.ts'
import { until } from './until.ts'

/** Ports a Causeway is going to listen on, chosen before the peers that call it are started. */
export interface CausewayPorts {
  whatsapp: number
  pbx: number
  http: number
}

/** How Causeway is run. */
export interface CausewayOptions {
  ports: CausewayPorts
  /** The configuration as an object; JSON is YAML. */
  config: object
  /** Port of Node's inspector. */
  inspect?: number
  /** How long calls may go on after SIGTERM. Default: `2s`. */
  drain?: string
}

/** `causeway up`, as a process of its own. */
export interface Causeway extends Daemon {
  readonly ports: CausewayPorts
  /** Base URL of the HTTP interface. */
  readonly url: string
  /** Its configuration file; `stop` removes it. */
  readonly file: string
  /**
   * The samples of /metrics by name with labels, `causeway_calls_active{…}`; those of calls and of SIP
   * summed up over numbers and peers.
   */
  metrics(): Promise<Map<string, number>>
  /** A path of the HTTP interface, as JSON. */
  get(path: string): Promise<unknown>
  /** Resolves when nothing is wrong: numbers have their settings, trunks are reached. */
  healthy(): Promise<void>
}

const launcher = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'causeway.js')

/** Chooses free ports. */
export async function causewayPorts(): Promise<CausewayPorts> {
  return { whatsapp: await freePort(), pbx: await freePort(), http: await freePort() }
}

/** Runs `causeway up` and waits until it is ready. `stop` ends it and removes its files. */
export async function startCauseway(options: CausewayOptions): Promise<Causeway> {
  const { ports, config, inspect, drain = '2s' } = options
  const inspector = inspect === undefined ? [] : [`--inspect=127.0.0.1:${inspect}`]
  const state = mkdtempSync(join(peersFolder(), 'run-'))
  const file = join(state, 'causeway.yaml')
  writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 })
  const url = `http://127.0.0.1:${ports.http}`
  const daemon = await startDaemon({
    name: 'Causeway',
    command: process.execPath,
    // As the first line of the launcher has it.
    args: ['--v8-pool-size=1', ...inspector, launcher, 'up', '-c', file, '--drain', drain],
    cwd: state,
    log: join(state, 'log'),
    ready: () =>
      fetch(`${url}/readyz`).then(
        (response) => response.ok,
        () => false,
      ),
  }).catch((error: unknown) => {
    rmSync(state, { recursive: true, force: true })
    throw error
  })
  const get = async (path: string): Promise<unknown> => (await fetch(url + path)).json()
  return {
    pid: daemon.pid,
    log: daemon.log,
    get running() {
      return daemon.running
    },
    ports,
    url,
    file,
    async metrics() {
      const text = await (await fetch(`${url}/metrics`)).text()
      const samples = new Map<string, number>()
      for (const [, name, value] of text.matchAll(/^([a-z_]+(?:\{[^}]*\})?) ([-+.\deE]+)/gm)) {
        const key = summed(name!)
        samples.set(key, (samples.get(key) ?? 0) + Number(value))
      }
      return samples
    },
    get,
    healthy: () =>
      until(
        'health passes',
        async () => ((await get('/healthz')) as { status: string }).status === 'pass',
        60_000,
      ),
    async stop() {
      const code = await daemon.stop()
      rmSync(state, { recursive: true, force: true })
      return code
    },
  }
}

/** `causeway_calls_active{direction="x",number="y"}` without the number. */
function summed(name: string): string {
  if (!/^causeway_(?:calls|sip)_/.test(name)) return name
  return name
    .replace(/,?(?:number|peer)="[^"]*"/, '')
    .replace('{}', '')
    .replace('{,', '{')
}
