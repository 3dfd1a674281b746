import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer, type Server, type TlsOptions } from 'node:tls'
import type { Test } from 'tap'
import { parseConfig } from '../../src/config/index.ts'
import {
  type CheckResult,
  type ContextOptions,
  checks,
  createContext,
  runChecks,
  type System,
  thisSystem,
} from '../../src/doctor/index.ts'
import { type Clock, systemClock } from '../../src/shared/clock.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { type Simulator, startSimulator } from '../../src/simulator/index.ts'
import type { SimulatedNumber } from '../../src/simulator/store.ts'
import { makeCa, makeCert, type TestCa, type TestCertificate } from '../support/certificates.ts'

export const DOMAIN = 'sip.example.com'
/** Where the domain leads in DNS; reaching it is reaching this machine. */
export const PUBLIC = '203.0.113.10'
export const APP = '634974688087057'
const ID = '106540352242922'
const PHONE = '+441632960123'
const DAY = 86_400_000

/** The real time, with limits that a busy machine does not reach. */
export const PATIENT: Clock = {
  ...systemClock,
  setTimeout: (fn, ms) => systemClock.setTimeout(fn, 10 * ms),
}

// biome-ignore lint/suspicious/noExplicitAny: a configuration is edited freely by the tests
type Yaml = any

/** An installation in perfect health, into which one fault is planted. */
export class World {
  readonly simulator: Simulator
  readonly number: SimulatedNumber
  readonly pbx: ScriptedPbx
  /** Signs the listener's certificate; trusted. */
  readonly ca: TestCa
  readonly folder: string
  readonly config: Yaml
  readonly system: { -readonly [Key in keyof System]: System[Key] }
  /** Handed to the context; may be changed. */
  readonly options: Partial<ContextOptions> = {
    // A thread of its own for each scene costs more than all the rest of it.
    startRelay: async () => ({ close: async () => {} }),
  }
  readonly #closing: (() => unknown)[] = []
  listener: Server | undefined
  /** Where {@link PUBLIC} leads. */
  publicPort = 0

  private constructor(parts: {
    simulator: Simulator
    pbx: ScriptedPbx
    ca: TestCa
    folder: string
    ports: string
  }) {
    const { simulator, pbx, ca, folder, ports } = parts
    this.simulator = simulator
    this.number = simulator.store.numbers[0]!
    this.pbx = pbx
    this.ca = ca
    this.folder = folder
    this.system = {
      ...thisSystem,
      resolve: async () => [PUBLIC],
      addresses: () => ['127.0.0.1', '10.0.0.5'],
      dial: (host, port) =>
        host === PUBLIC ? connect(this.publicPort, '127.0.0.1') : connect({ host, port }),
      udpPorts: async () => undefined,
      // Other tests bind and release ports all the time.
      bindable: async () => true,
      space: async () => ({ free: 50 * 2 ** 30, total: 100 * 2 ** 30 }),
      writable: async () => true,
      openFiles: async () => 65_536,
    }
    this.config = {
      sip: {
        domain: DOMAIN,
        external_address: PUBLIC,
        listen: {
          whatsapp: 'tls://127.0.0.1:5061',
          pbx: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'],
        },
        tls: { cert: 'cert.pem', key: 'key.pem' },
      },
      media: { relay: 'embedded', listen: '0.0.0.0', external_address: PUBLIC, ports },
      whatsapp: {
        graph_url: simulator.graphUrl,
        sip_proxy: simulator.sipProxy,
        ca: 'ca.pem',
        sources: ['127.0.0.1/32'],
      },
      numbers: [
        {
          name: 'support',
          phone_number: PHONE,
          phone_number_id: ID,
          access_token: 'token',
          manage: 'apply',
          calling: { status: 'ENABLED', srtp_key_exchange_protocol: 'SDES' },
          inbound: { trunk: 'main' },
        },
      ],
      trunks: [
        {
          name: 'main',
          targets: [pbx.uri],
          accept: { from: ['127.0.0.1/32'] },
          media: { srtp: 'none', codecs: ['opus'] },
          outbound: { number: 'support' },
        },
      ],
      limits: { calls: 5 },
      http: { listen: '127.0.0.1:0' },
    }
  }

  /** Simulator, PBX and listener, the number as configured. */
  static async start(t: Test): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-doctor-'))
    const simulator = await startSimulator({
      numbers: [{ phoneNumberId: ID, phoneNumber: PHONE, accessToken: 'token', appId: APP }],
      folder,
      behaviour: { options: 'challenge' },
    })
    const pbx = await ScriptedPbx.start()
    const ca = makeCa()
    writeFileSync(join(folder, 'ca.pem'), `${readFileSync(simulator.caFile, 'utf8')}${ca.cert}`)
    const world = new World({ simulator, pbx, ca, folder, ports: '20000-20039' })
    t.teardown(async () => {
      for (const close of world.#closing.reverse()) await close()
      await Promise.all([simulator.close(), pbx.close()])
      rmSync(folder, { recursive: true, force: true })
    })
    await world.listen({ certificate: makeCert({ ca, dns: [DOMAIN] }) })
    const { calling } = world.number
    calling.status = 'ENABLED'
    calling.sipStatus = 'ENABLED'
    calling.srtp = 'SDES'
    world.storeServer(APP, DOMAIN)
    return world
  }

  /** Stores a server on the number as an app would. */
  storeServer(appId: string, hostname: string): void {
    const port = this.publicPort
    this.number.calling.servers.set(appId, { appId, hostname, port, requestUriUserParams: {} })
    this.simulator.store.passwordOf(this.number, appId)
  }

  /** Writes the certificate's files and opens the listener with it, in place of the one before. */
  async listen(options: {
    certificate: TestCertificate
    tls?: TlsOptions
    /** Leaves the files alone. */
    files?: false
  }): Promise<void> {
    const { certificate, tls } = options
    if (options.files !== false) this.write(certificate)
    this.listener?.close()
    const server = await tlsServer({ ...certificate, ...tls })
    this.defer(() => server.close())
    this.listener = server
    const { port } = server.address() as AddressInfo
    this.publicPort = port
    this.config.sip.listen.whatsapp = `tls://127.0.0.1:${port}`
    for (const stored of this.number.calling.servers.values()) stored.port = port
  }

  /** Writes a certificate's files as `sip.tls` names them. */
  write(certificate: TestCertificate): void {
    writeFileSync(join(this.folder, 'cert.pem'), certificate.cert)
    writeFileSync(join(this.folder, 'key.pem'), certificate.key)
  }

  /** A certificate for the domain that ends in `days`. */
  certificate(days: number): TestCertificate {
    const now = Date.now()
    return makeCert({
      ca: this.ca,
      dns: [DOMAIN],
      notBefore: new Date(now - 60 * DAY),
      notAfter: new Date(now + days * DAY),
    })
  }

  /** To be done when the test ends. */
  defer(close: () => unknown): void {
    this.#closing.push(close)
  }

  /** Loads the configuration as it stands. */
  load() {
    const file = join(this.folder, 'causeway.yaml')
    return parseConfig(JSON.stringify(this.config), { file, env: {} })
  }

  /** Runs every check. */
  async diagnose(): Promise<CheckResult[]> {
    const { config, warnings } = this.load()
    const { context, close } = createContext({
      config,
      warnings,
      clock: PATIENT,
      random: systemRandom,
      system: this.system,
      lab: false,
      signal: new AbortController().signal,
      ...this.options,
    })
    try {
      return await runChecks(checks, context)
    } finally {
      await close()
    }
  }
}

/** Checks that have nothing to say about a healthy installation without instance and reflector. */
const QUIET = ['instance', 'registration', 'webhooks', 'udp']

/** What a scene has to come to: the checks that name the fault, and those that then say nothing. */
export interface Expected {
  /** By check: `fail DOCTOR_DNS_MISSING`. */
  named: Record<string, string>
  /** Checks skipped beside those that always are. */
  skipped?: string[]
  /** Of the quiet ones, those that do speak here. */
  speaks?: string[]
}

/** Plants a fault, runs every check and compares: the fault is named, and nothing else. */
export function scene(
  t: Test,
  plant: (world: World) => unknown,
  expected: Expected,
): Promise<CheckResult[]> {
  return (async () => {
    t.setTimeout(60_000)
    const world = await World.start(t)
    await plant(world)
    const results = await world.diagnose()
    const wrong = Object.fromEntries(
      results.flatMap(({ id, findings }) => {
        const bad = findings.filter(({ verdict }) => verdict === 'warn' || verdict === 'fail')
        const texts = bad.map(({ verdict, code }) => `${verdict} ${code}`)
        return bad.length > 0 ? [[id, texts.join(', ')]] : []
      }),
    )
    t.same(wrong, expected.named, 'the fault is named, and nothing else')
    const silent = results.filter(({ verdict }) => verdict === 'skipped').map(({ id }) => id)
    const { skipped = [], speaks = [] } = expected
    const quiet = QUIET.filter((id) => !speaks.includes(id))
    t.same(silent.sort(), [...quiet, ...skipped].sort(), 'skipped are')
    for (const { id, findings } of results) {
      for (const { verdict, evidence, fix, owner, cause } of findings) {
        t.ok(evidence !== '' && !evidence.includes('undefined'), `${id} has evidence: ${evidence}`)
        if (verdict === 'warn' || verdict === 'fail') t.ok(fix && owner && cause, `${id} has a fix`)
      }
    }
    return results
  })()
}

/** A TLS server on a free port of loopback that takes connections and says nothing. */
export async function tlsServer(options: TlsOptions): Promise<Server> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => {})
    socket.resume()
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** `min-max` of a range of free UDP ports, away from those the system hands out. */
export async function freeRange(size: number): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const min = 10_000 + 2 * Math.floor(Math.random() * 4_900)
    const sockets: Socket[] = []
    let free = true
    for (let port = min; port < min + size && free; port++) {
      const socket = await bindUdp(port).catch(() => undefined)
      if (socket) sockets.push(socket)
      else free = false
    }
    for (const socket of sockets) socket.close()
    if (free) return `${min}-${min + size - 1}`
  }
  throw new Error('no free range of ports')
}

/** A UDP socket on every address, bound to a port. */
export function bindUdp(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(port, '0.0.0.0', () => resolve(socket))
  })
}

/** A response with the headers RFC 3261 §8.2.6 wants of the request. */
function responseTo(request: string, status: string): string {
  const kept = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
  return [`SIP/2.0 ${status}`, ...kept, 'Content-Length: 0', '', ''].join('\r\n')
}

/** Answers every request of a connection with 200. */
export function answerSip(socket: Duplex): void {
  socket.on('error', () => {})
  socket.on('data', (bytes: Buffer) => socket.write(responseTo(bytes.toString(), '200 OK')))
}

/** A PBX that answers every request over UDP with one status. */
export class ScriptedPbx {
  status = '200 OK'
  readonly #socket: Socket
  #open = true

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, from) => {
      socket.send(responseTo(bytes.toString(), this.status), from.port, from.address)
    })
  }

  static async start(): Promise<ScriptedPbx> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    return new ScriptedPbx(socket)
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.#socket.address().port};transport=udp`
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }
}
