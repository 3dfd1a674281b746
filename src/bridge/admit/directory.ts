import type { Config, ListenAddress, NumberConfig, TrunkConfig } from '../../config/types.ts'
import { digitsOf } from '../address/consumer.ts'
import { Networks } from '../address/networks.ts'

/** The side a request belongs to. */
export type Side = 'whatsapp' | 'pbx'

/** Listening addresses of the SIP server by side, with the ports really in use. */
export interface Listeners {
  whatsapp: ListenAddress
  pbx: readonly ListenAddress[]
}

/** The configuration as lookups: made once per (re)load, read for every INVITE. */
export class Directory {
  readonly config: Config
  readonly listeners: Listeners
  readonly #byDigits = new Map<string, NumberConfig>()
  readonly #byName = new Map<string, NumberConfig>()
  readonly #trunks = new Map<string, TrunkConfig>()
  readonly #byUsername = new Map<string, TrunkConfig>()
  readonly #accepts: [Networks, TrunkConfig][] = []
  readonly #sources: Networks
  readonly #whatsappPort: string
  readonly #pbxPorts: ReadonlySet<string>

  constructor(config: Config, listeners: Listeners) {
    this.config = config
    this.listeners = listeners
    this.#sources = new Networks(config.whatsapp.sources)
    for (const number of config.numbers) {
      this.#byDigits.set(digitsOf(number.phoneNumber), number)
      this.#byName.set(number.name, number)
    }
    for (const trunk of config.trunks) {
      this.#trunks.set(trunk.name, trunk)
      if (trunk.accept.from.length > 0) this.#accepts.push([new Networks(trunk.accept.from), trunk])
      const { username, password } = trunk.accept
      if (username !== undefined && password) this.#byUsername.set(username, trunk)
    }
    this.#whatsappPort = portKey(listeners.whatsapp.transport, listeners.whatsapp.port)
    this.#pbxPorts = new Set(listeners.pbx.map(({ transport, port }) => portKey(transport, port)))
  }

  /** The number with this user part: `+44…` or bare digits. */
  numberOf(user: string): NumberConfig | undefined {
    const digits = digitsOf(user)
    return digits === '' ? undefined : this.#byDigits.get(digits)
  }

  number(name: string): NumberConfig | undefined {
    return this.#byName.get(name)
  }

  trunk(name: string): TrunkConfig | undefined {
    return this.#trunks.get(name)
  }

  /** The trunk whose `accept.from` holds the address, the first in configuration order. */
  trunkAt(address: string): TrunkConfig | undefined {
    return this.#accepts.find(([networks]) => networks.has(address))?.[1]
  }

  /** The trunk with this `accept.username`. */
  trunkOf(username: string): TrunkConfig | undefined {
    return this.#byUsername.get(username)
  }

  /** Whether any trunk takes calls by digest. */
  get challengesPbx(): boolean {
    return this.#byUsername.size > 0
  }

  /** Whether the address is WhatsApp's by `whatsapp.sources`. */
  isWhatsApp(address: string): boolean {
    return this.#sources.has(address)
  }

  /**
   * Which side a request belongs to: by the listener it came in on; when that does not tell (a
   * drachtio-server with ports of its own), by its source.
   */
  sideOf(request: { transport: string; receivedOn: string; sourceAddress: string }): Side {
    const { transport, receivedOn, sourceAddress } = request
    const key = portKey(transport, receivedOn.slice(receivedOn.lastIndexOf(':') + 1))
    const onWhatsApp = key === this.#whatsappPort
    const onPbx = this.#pbxPorts.has(key)
    if (onWhatsApp !== onPbx) return onWhatsApp ? 'whatsapp' : 'pbx'
    if (this.trunkAt(sourceAddress)) return 'pbx'
    return transport === 'tls' && this.isWhatsApp(sourceAddress) ? 'whatsapp' : 'pbx'
  }

  /** The port WhatsApp reaches us at: the one set for the number, unless the system chose it. */
  publicPort(number: NumberConfig): number {
    const { port } = this.listeners.whatsapp
    const mapped = number.calling.sip?.port
    return this.config.sip.listen.whatsapp.port === 0 ? port : (mapped ?? port)
  }
}

function portKey(transport: string, port: number | string): string {
  return `${transport.toLowerCase()}:${port}`
}
