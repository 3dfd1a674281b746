import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { destination } from 'pino'
import { Instance } from '../../app/index.ts'
import { createLogger } from '../../shared/log.ts'
import { type Simulator, startSimulator } from '../../simulator/index.ts'
import { startToyPbx, type ToyPbx } from '../../simulator/toy-pbx/index.ts'
import { Client } from '../client.ts'
import type { Io } from '../io.ts'
import { load } from '../load.ts'
import { formatCounts } from '../report.ts'
import { version } from '../version.ts'
import { DEMO, demoConfiguration } from './configuration.ts'
import type { Steps } from './steps.ts'

/** Milliseconds the simulated consumer and the toy PBX let it ring. */
const RING = 300
/** Tones in Hz: who plays which tells in the verdict who was heard. */
const TONES = { whatsapp: 440, incoming: 880, outgoing: 1000 }

/** Everything that runs in the demo. */
export interface World {
  simulator: Simulator
  pbx: ToyPbx
  instance: Instance
  /** Causeway's own HTTP API. */
  api: Client
  /** The YAML file. */
  file: string
  /** Causeway's log. */
  log: string
}

/** What must be closed, in the order it was opened. */
export class Closers {
  readonly #stack: (() => Promise<void> | void)[] = []

  add(close: () => Promise<void> | void): void {
    this.#stack.push(close)
  }

  /** Closes everything, the newest first; goes on when one fails. */
  async close(): Promise<void> {
    for (const close of this.#stack.splice(0).reverse()) {
      try {
        await close()
      } catch {
        // The next one has to be closed all the same, and the process ends.
      }
    }
  }
}

/** A folder for the files of the demo. */
export function demoFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'causeway-demo-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Starts simulator, PBX and Causeway, each a step. What was started is in `closers` at once. */
export async function startWorld(
  io: Io,
  steps: Steps,
  folder: string,
  closers: Closers,
): Promise<World> {
  const simulator = await steps.run('WhatsApp simulator', async (say) => {
    const started = await startSimulator({
      numbers: Object.values(DEMO.numbers).map(({ phoneNumber, phoneNumberId }) => ({
        ...DEMO,
        phoneNumber,
        phoneNumberId,
      })),
      folder,
      // Where the host name leads; the port is the one Causeway stores through the settings API.
      dialTo: { [DEMO.domain]: { host: '127.0.0.1' } },
      media: { tone: { frequency: TONES.whatsapp, level: -16 } },
    })
    closers.add(() => started.close())
    started.sip.consumers.update(DEMO.consumer, { script: { action: 'answer', after: RING } })
    const { host, port } = started.sipAddress
    say(`Graph API at ${started.graphUrl},\nwa.meta.vc at tls://${host}:${port}`)
    return started
  })

  const pbx = await steps.run('toy PBX', async (say) => {
    const tones = { incoming: TONES.incoming, outgoing: TONES.outgoing }
    const started = await startToyPbx({ ringMs: RING, tones, srtp: 'none' })
    closers.add(() => started.close())
    say(`sip:${started.address.host}:${started.address.port}`)
    return started
  })

  const file = join(folder, 'causeway.yaml')
  const config = await steps.run('configuration', async (say) => {
    const { graphUrl, sipProxy, caFile } = simulator
    const certificate = simulator.issueCertificate([DEMO.domain])
    const { host, port } = pbx.address
    const places = {
      graphUrl,
      sipProxy,
      ca: caFile,
      certificate,
      pbx: `sip:${host}:${port}`,
    }
    writeFileSync(file, demoConfiguration(places), { mode: 0o600 })
    const loaded = load(file, io)
    say(`${file}, ${formatCounts(0, loaded.warnings.length)}`)
    return loaded.config
  })

  const log = join(folder, 'causeway.log')
  const instance = await steps.run('Causeway', async (say) => {
    const logger = createLogger({
      ...config.log,
      destination: destination({ dest: log, sync: true }),
    })
    const started = await Instance.start({
      config,
      version: version(),
      log: logger,
      load: () => load(file, io),
    })
    closers.add(() => started.stop())
    const { http, sip } = started.addresses
    const [listener] = sip.pbx
    pbx.settings.trunk = `sip:${listener!.host}:${listener!.port}`
    say(
      `version ${version()}, WhatsApp at tls://${sip.whatsapp.host}:${sip.whatsapp.port},\n` +
        `PBX at ${listener!.transport}://${listener!.host}:${listener!.port}, HTTP at http://${http.host}:${http.port}`,
    )
    return started
  })
  const { host, port } = instance.addresses.http
  const api = new Client(`http://${host}:${port}`, undefined, io.signal)
  return { simulator, pbx, instance, api, file, log }
}
