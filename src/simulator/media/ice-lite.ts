import type { Random } from '../../shared/random.ts'
import { Secret } from '../../shared/secret.ts'
import {
  ATTRIBUTE,
  BINDING,
  errorCode,
  hasFingerprint,
  hasIntegrity,
  parseStun,
  type StunMessage,
  writeStun,
  xorAddress,
} from './stun.ts'

/** A transport address of the peer. */
export interface PeerAddress {
  address: string
  port: number
}

/** One side's ICE credentials (RFC 8445 §5.3). */
export interface IceCredentials {
  ufrag: string
  password: Secret
}

/** Credentials in WhatsApp's shapes: 16 characters, and 24 that end in `==`. */
export function makeIceCredentials(random: Random): IceCredentials {
  return {
    ufrag: random.bytes(12).toString('base64'),
    password: new Secret(random.bytes(16).toString('base64')),
  }
}

/** What an ICE-lite agent saw. */
export interface IceFacts {
  /** Checks that were answered with success. */
  checks: number
  /** Checks that went unanswered: no or wrong integrity, fingerprint or user name. */
  unauthenticated: number
  /** Checks of a peer that believed to be controlled (487). */
  roleConflicts: number
  /** Pairs nominated beside the first, which stays in use. */
  renominations: number
}

/** Addresses remembered; more come only from somebody who knows the password. */
const MAX_VALID = 32
/** Attributes below 0x8000 that a Binding request may carry here. */
const KNOWN: ReadonlySet<number> = new Set([
  ATTRIBUTE.username,
  ATTRIBUTE.messageIntegrity,
  ATTRIBUTE.priority,
  ATTRIBUTE.useCandidate,
])

/**
 * The ICE-lite side of RFC 8445 §2.5, as WhatsApp's relay plays it: always controlled, sends no
 * checks, answers those made with our password and learns from them where the peer is. A check
 * before the peer's SDP is answered too; its user name is then compared by our half only.
 */
export class IceLiteAgent {
  readonly local: IceCredentials
  readonly facts: IceFacts = { checks: 0, unauthenticated: 0, roleConflicts: 0, renominations: 0 }
  readonly #valid = new Set<string>()
  readonly #selected: (peer: PeerAddress) => void
  #remoteUfrag: string | undefined
  #nominated: PeerAddress | undefined
  #first: PeerAddress | undefined

  /** `selected` is called at the nomination, once. */
  constructor(local: IceCredentials, selected: (peer: PeerAddress) => void) {
    this.local = local
    this.#selected = selected
  }

  /** The peer's user name fragment, from its SDP. */
  setRemote(ufrag: string): void {
    this.#remoteUfrag = ufrag
  }

  /** The nominated address of the peer. */
  get nominated(): PeerAddress | undefined {
    return this.#nominated
  }

  /** Where to send: the nominated address, before that the first one that passed a check. */
  get peer(): PeerAddress | undefined {
    return this.#nominated ?? this.#first
  }

  /** Whether the address has passed a check, so that what comes from it is the peer's. */
  isValid({ address, port }: PeerAddress): boolean {
    return this.#valid.has(`${address} ${port}`)
  }

  /** Takes a packet with a first octet of 0 to 3; gives the answer to send back, if any. */
  receive(packet: Buffer, from: PeerAddress): Buffer | undefined {
    const message = parseStun(packet)
    // Responses and indications have no place here: a lite agent asks nothing.
    if (!message || message.type !== BINDING.request) return undefined
    if (!this.#isAuthentic(message)) {
      this.facts.unauthenticated++
      return undefined
    }
    const unknown = [...message.attributes.keys()].filter(
      (type) => type < 0x8000 && !KNOWN.has(type),
    )
    if (unknown.length > 0) return this.#unknownAttributes(message, unknown)
    if (message.attributes.has(ATTRIBUTE.iceControlled)) {
      // A lite agent cannot become controlling, whatever the tie-breaker says (RFC 8445 §7.3.1.1).
      this.facts.roleConflicts++
      return this.#error(message, 487, 'Role Conflict')
    }
    this.facts.checks++
    this.#learn(message, from)
    return writeStun(
      {
        type: BINDING.success,
        transaction: message.transaction,
        attributes: [[ATTRIBUTE.xorMappedAddress, xorAddress(from, message.transaction)]],
      },
      this.local.password,
    )
  }

  #isAuthentic(message: StunMessage): boolean {
    if (!hasFingerprint(message)) return false
    const username = message.attributes.get(ATTRIBUTE.username)?.toString() ?? ''
    const own = `${this.local.ufrag}:`
    const named =
      this.#remoteUfrag === undefined
        ? username.startsWith(own)
        : username === own + this.#remoteUfrag
    return named && hasIntegrity(message, this.local.password)
  }

  #learn(message: StunMessage, from: PeerAddress): void {
    const { address, port } = from
    if (this.#valid.size < MAX_VALID) this.#valid.add(`${address} ${port}`)
    if (!this.isValid(from)) return
    this.#first ??= { address, port }
    if (!message.attributes.has(ATTRIBUTE.useCandidate)) return
    if (!this.#nominated) {
      this.#nominated = { address, port }
      this.#selected(this.#nominated)
    } else if (this.#nominated.address !== address || this.#nominated.port !== port) {
      this.facts.renominations++
    }
  }

  #unknownAttributes(message: StunMessage, unknown: readonly number[]): Buffer {
    const list = Buffer.alloc(unknown.length * 2)
    for (const [i, type] of unknown.entries()) list.writeUInt16BE(type, i * 2)
    return this.#error(message, 420, 'Unknown Attribute', [[ATTRIBUTE.unknownAttributes, list]])
  }

  #error(
    message: StunMessage,
    code: number,
    reason: string,
    more: readonly (readonly [number, Buffer])[] = [],
  ): Buffer {
    return writeStun(
      {
        type: BINDING.error,
        transaction: message.transaction,
        attributes: [[ATTRIBUTE.errorCode, errorCode(code, reason)], ...more],
      },
      this.local.password,
    )
  }
}
