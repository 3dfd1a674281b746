import type { TrunkConfig } from '../config/types.ts'
import type { TlsPeer } from '../embedded-drachtio/index.ts'

/** The targets of trunks that have TLS settings of their own, each once. */
export function tlsPeers(trunks: readonly TrunkConfig[]): TlsPeer[] {
  const peers = new Map<string, TlsPeer>()
  for (const { tls, targets } of trunks) {
    if (!tls) continue
    for (const { host, port, transport } of targets) {
      const key = `${host.toLowerCase()}:${port ?? ''}`
      if (transport === 'tls' && !peers.has(key)) peers.set(key, { host, port, ...tls })
    }
  }
  return [...peers.values()]
}
