import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { SecureContext } from 'node:tls'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { CertificateFiles } from './certificate.ts'
import type { Target } from './types.ts'

/** How connections to one peer verify and present themselves, instead of like all others. */
export interface TlsPeer {
  /** Host of the URIs that lead to it, IPv6 without brackets. */
  host: string
  /** Undefined: every port, for a name that has SRV records. */
  port: number | undefined
  /** PEM file paths of our certificate and key; undefined: as for every peer. */
  certificate: CertificateFiles | undefined
  /** PEM file path of the authorities it may have its certificate from, and no others. */
  ca: string | undefined
  /** Name its certificate must have; undefined: the host. */
  serverName: string | undefined
}

/** What a connection to a peer is made with. */
export interface PeerContext {
  context: SecureContext
  /** The name to verify, and for SNI. */
  name: string
}

/** Makes a context of PEM texts; what is undefined is as for every peer. */
export type MakeContext = (pem: {
  ca: string | undefined
  certificate: { cert: string; key: string } | undefined
}) => SecureContext

interface Loaded {
  /** What the files were like when they were read. */
  signature: string
  context: SecureContext
}

/** How many addresses of peers are remembered. */
const CAPACITY = 1000

/**
 * Peers that have TLS settings of their own. Files are read when a connection is made and they have
 * changed since the last one; files that cannot be used leave in place what was read before.
 */
export class TlsPeers {
  readonly #make: MakeContext
  readonly #log: Logger
  #peers: readonly TlsPeer[] = []
  readonly #loaded = new Map<string, Loaded>()
  /** Peers by address and port they were reached at: a Contact may name those. */
  readonly #addresses = new Map<string, TlsPeer>()
  /** The last error of each peer that was written, so that it is written once. */
  readonly #failures = new Map<string, string>()

  constructor(make: MakeContext, log: Logger) {
    this.#make = make
    this.#log = log
  }

  /** Takes the peers as they are now, for connections to come. */
  configure(peers: readonly TlsPeer[]): void {
    this.#peers = peers.map((peer) => ({ ...peer, host: peer.host.toLowerCase() }))
    this.#loaded.clear()
    this.#addresses.clear()
    this.#failures.clear()
  }

  /**
   * The target as the connection table knows it: one that names a peer by the address it was reached at
   * goes by the peer's own name, and so shares its connection.
   */
  known(target: Target): Target {
    if (this.#peers.length === 0 || target.transport !== 'tls') return target
    const named = this.#named(target)
    if (named) {
      this.#addresses.set(addressOf(target), named)
      if (this.#addresses.size > CAPACITY) {
        this.#addresses.delete(this.#addresses.keys().next().value!)
      }
      return target
    }
    // Only a bare address: a name of its own is to be verified as such.
    if (target.domain !== target.address) return target
    const peer = this.#addresses.get(addressOf(target))
    return peer ? { ...target, domain: peer.host } : target
  }

  /**
   * What a connection to the target is made with; undefined: what all others are.
   *
   * @throws SIP_CERTIFICATE_UNUSABLE when a file was never usable
   */
  contextFor(target: Target): PeerContext | undefined {
    const peer = this.#named(target)
    if (!peer) return undefined
    return { context: this.#load(peer), name: peer.serverName ?? target.domain }
  }

  #named({ domain, port }: Target): TlsPeer | undefined {
    const host = domain.toLowerCase()
    const own = this.#peers.filter((peer) => peer.host === host)
    return own.find((peer) => peer.port === port) ?? own.find((peer) => peer.port === undefined)
  }

  #load(peer: TlsPeer): SecureContext {
    const key = `${peer.host}:${peer.port ?? ''}`
    const before = this.#loaded.get(key)
    const signature = signatureOf(peer)
    if (before?.signature === signature) return before.context
    try {
      const context = this.#make(readPeer(peer))
      this.#loaded.set(key, { signature, context })
      this.#failures.delete(key)
      if (before) this.#log.info({ peer: key }, 'TLS files of a PBX read again')
      return context
    } catch (cause) {
      const error = unusable(peer, cause)
      if (!before) throw error
      if (this.#failures.get(key) !== error.message) {
        this.#failures.set(key, error.message)
        this.#log.error({ err: error, peer: key }, 'TLS files of a PBX not taken; the former stay')
      }
      return before.context
    }
  }
}

function addressOf({ address, port }: Target): string {
  return `${address}|${port}`
}

function filesOf({ certificate, ca }: TlsPeer): string[] {
  return [certificate?.cert, certificate?.key, ca].filter((file) => file !== undefined)
}

/** Changes whenever a file does; a file that is not there has one, too. */
function signatureOf(peer: TlsPeer): string {
  const states = filesOf(peer).map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : 'gone'
  })
  return states.join()
}

function readPeer({ certificate, ca }: TlsPeer): Parameters<MakeContext>[0] {
  const anchors = ca === undefined ? undefined : readFileSync(ca, 'utf8')
  if (anchors !== undefined) new X509Certificate(anchors)
  if (!certificate) return { ca: anchors, certificate: undefined }
  const cert = readFileSync(certificate.cert, 'utf8')
  const key = readFileSync(certificate.key, 'utf8')
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`the key in ${certificate.key} is not that of ${certificate.cert}`)
  }
  return { ca: anchors, certificate: { cert, key } }
}

function unusable(peer: TlsPeer, cause: unknown): CausewayError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const detail = `for ${peer.host} (${filesOf(peer).join(', ')}): ${reason}`
  return new CausewayError('SIP_CERTIFICATE_UNUSABLE', { detail, cause })
}
