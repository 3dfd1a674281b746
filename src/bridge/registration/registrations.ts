import { createHmac } from 'node:crypto'
import type { Config, TrunkConfig } from '../../config/types.ts'
import type { EndedFlow } from '../ended-flow.ts'
import type { IncomingRequest } from '../sip-port.ts'
import { bearsToken, isOurContact } from './contact.ts'
import { Registration, type RegistrationDeps, sameRegister } from './registration.ts'
import type { RegistrationStatus } from './status.ts'

/** What names this installation, and is kept over restarts. */
export interface Installation {
  /** UUID of its `+sip.instance` (RFC 5626 §4.1). */
  id: string
  /** Key of the tokens in its Contacts. */
  key: Buffer
}

/** The registrations of all trunks with their PBXs. */
export class Registrations {
  readonly #deps: RegistrationDeps
  readonly #own: Installation
  readonly #byTrunk = new Map<string, Registration>()
  /** Registrations on their way out, by trunk: settled when the last of them is. */
  readonly #leaving = new Map<string, Promise<void>>()

  constructor(own: Installation, deps: RegistrationDeps) {
    this.#own = own
    this.#deps = deps
  }

  /**
   * Takes the trunks of a configuration: a registration that is no longer wanted, or wanted
   * otherwise, ends at its registrar; those that stay hear nothing of it.
   */
  configure(config: Config): void {
    const wanted = new Map(config.trunks.map((trunk) => [trunk.name, trunk.register]))
    for (const [name, registration] of this.#byTrunk) {
      const register = wanted.get(name)
      if (register && sameRegister(register, registration.config)) continue
      this.#byTrunk.delete(name)
      this.#leave(registration)
    }
    for (const { name, register } of config.trunks) {
      if (!register || this.#byTrunk.has(name)) continue
      const own = { token: this.#token(name), instance: this.#own.id }
      const registration = new Registration(name, register, own, this.#deps)
      this.#byTrunk.set(name, registration)
      // The Contact may be the same: the end of the old one must not come after the new one.
      const before = this.#leaving.get(name)
      if (before) void before.then(() => this.#begin(registration))
      else this.#begin(registration)
    }
  }

  /** The SIP server is there: registers all. */
  connected(): void {
    for (const registration of this.#byTrunk.values()) registration.renew()
  }

  /** The SIP server is gone. */
  disconnected(): void {
    for (const registration of this.#byTrunk.values()) registration.pause()
  }

  /** A connection has ended: what was registered over it is registered again over another one. */
  flowEnded({ sent, why }: EndedFlow): void {
    for (const owner of sent) {
      for (const registration of this.#byTrunk.values()) registration.flowEnded(owner, why)
    }
  }

  /** The trunk whose Contact a call was sent to, by the token in the Request-URI. */
  trunkByToken(request: IncomingRequest): string | undefined {
    for (const { trunk, token } of this.#byTrunk.values()) {
      if (bearsToken(request.uri, token)) return trunk
    }
    return undefined
  }

  /** The trunk whose registrar a call comes from, and whose Contact has this user part. */
  trunkByContact(address: string, user: string): string | undefined {
    return this.#from(address).find(({ config }) => isOurContact(user, config))?.trunk
  }

  /** The trunk whose registrar a call comes from. */
  trunkByRegistrar(address: string): string | undefined {
    return this.#from(address)[0]?.trunk
  }

  #from(address: string): Registration[] {
    return [...this.#byTrunk.values()].filter((one) => one.answeredFrom(address))
  }

  status(): RegistrationStatus[] {
    return [...this.#byTrunk.values()].map((registration) => registration.status())
  }

  /** Unregisters everywhere; each registrar is waited for a short time. */
  async stop(): Promise<void> {
    for (const registration of this.#byTrunk.values()) this.#leave(registration)
    this.#byTrunk.clear()
    await Promise.all(this.#leaving.values())
  }

  #begin(registration: Registration): void {
    if (this.#byTrunk.get(registration.trunk) !== registration) return
    if (this.#deps.port.connected) registration.renew()
  }

  #leave(registration: Registration): void {
    const { trunk } = registration
    const leaving = Promise.all([this.#leaving.get(trunk), registration.stop()]).then(() => {
      if (this.#leaving.get(trunk) === leaving) this.#leaving.delete(trunk)
    })
    this.#leaving.set(trunk, leaving)
  }

  /** The same after a restart, so that the registrar finds its old contact renewed. */
  #token(trunk: TrunkConfig['name']): string {
    return createHmac('sha256', this.#own.key).update(trunk).digest('hex').slice(0, 32)
  }
}
