import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A peer that `test/peers/install` knows. */
export type PeerName =
  | 'sipp'
  | 'asterisk'
  | 'kamailio'
  | 'rtpengine'
  | 'prometheus'
  | 'baresip'
  | 'chromium'
  | 'tshark'

/** An unpacked peer. */
export interface InstalledPeer {
  /** The command that runs it. */
  command: string
  /** Root folder of its Debian packages. */
  root: string
}

const installed = new Map<PeerName, InstalledPeer>()

/** The folder everything of the peers lives in: programs, and state of runs in progress. */
export function peersFolder(): string {
  return (
    process.env['CAUSEWAY_PEERS_DIR'] ?? join(process.env['TMPDIR'] ?? tmpdir(), 'causeway-peers')
  )
}

/** Unpacks a peer unless that was done before. Throws when it cannot be had. */
export function install(name: PeerName): InstalledPeer {
  const known = installed.get(name)
  if (known) return known
  const script = join(import.meta.dirname, '..', 'install')
  const result = spawnSync(script, [name], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`${name} could not be installed`)
  const command = result.stdout.trim()
  const peer = {
    command,
    root: join(
      dirname(command),
      command
        .split('/')
        .at(-1)!
        .replace(/\.run$/, ''),
    ),
  }
  installed.set(name, peer)
  return peer
}
