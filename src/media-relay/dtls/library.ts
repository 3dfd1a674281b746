import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Audio, PeerConnection } from 'node-datachannel'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import { loadSystem } from '../udp/system.ts'
import { LibraryLog } from './library-log.ts'
import { Quiet } from './quiet.ts'
import { openWaker, type Waker } from './waker.ts'

/** What of libdatachannel (OpenSSL, libsrtp, libjuice) is used here. */
export interface DtlsLibrary {
  PeerConnection: typeof PeerConnection
  Audio: typeof Audio
  initLogger(level: string, callback: (level: string, message: string) => void): void
  preload(): void
  cleanup(): void
}

const BINARY = 'node_datachannel.node'

/**
 * Keeps a library in memory after its thread has ended (RTLD_NODELETE of dlopen(3), which Node does
 * not name): its own threads may be on their way out then, in code that would be unmapped.
 */
const KEEP: Partial<Record<NodeJS.Platform, number>> = { linux: 0x1000, darwin: 0x80 }

/** What a thread has while the library is loaded. */
interface Loaded {
  library: DtlsLibrary
  /** By family; a machine may lack IPv6. */
  log: LibraryLog
  wakers: Record<4 | 6, Waker | undefined>
  /** Undefined where there are no system calls for it. */
  quiet: Quiet | undefined
}

/** Of this thread; loaded once, however often it is started. */
let binary: DtlsLibrary | undefined
let loading: Promise<Loaded> | undefined
let loaded: Loaded | undefined

/**
 * Loads the library for this thread. Its addon keeps references to the thread that loaded it first
 * and takes the process along when another uses them, be it after the first has ended. So each
 * thread loads a copy of the binary of its own, which the loader takes for a different library.
 * Idempotent. Rejects with `MEDIA_DTLS_UNAVAILABLE`.
 */
export async function loadDtls(log: Logger): Promise<void> {
  loading ??= load(log)
  try {
    loaded = await loading
  } catch (error) {
    loading = undefined
    throw error
  }
}

/**
 * Ends the library's threads; closes what is still open. Takes milliseconds, up to 10 s when a
 * thread of it hangs. Idempotent; {@link loadDtls} may follow.
 */
export function unloadDtls(): void {
  const ending = loaded
  loaded = undefined
  loading = undefined
  process.removeListener('exit', unloadDtls)
  ending?.wakers[4]?.close()
  ending?.wakers[6]?.close()
  ending?.library.cleanup()
}

/**
 * The loaded library.
 *
 * @throws CausewayError `MEDIA_DTLS_UNAVAILABLE`
 */
export function dtlsLibrary(): Loaded {
  if (!loaded) throw new CausewayError('MEDIA_DTLS_UNAVAILABLE', { detail: 'not loaded' })
  return loaded
}

async function load(log: Logger): Promise<Loaded> {
  binary ??= loadBinary(log)
  const library = binary
  const lines = new LibraryLog(log)
  // Not `Warning`: at that level libjuice writes ICE passwords, and a line for each strange datagram.
  library.initLogger('Error', (level, message) => lines.write(level, message))
  library.preload()
  // Its threads call into this one: they have to be gone before it is, however it ends.
  process.once('exit', unloadDtls)
  const open = (family: 4 | 6) => openWaker(family).catch(() => undefined)
  const wakers = { 4: await open(4), 6: await open(6) }
  const system = await loadSystem().catch(() => undefined)
  return { library, log: lines, wakers, quiet: system && new Quiet(system) }
}

function loadBinary(log: Logger): DtlsLibrary {
  try {
    const require = createRequire(import.meta.url)
    const taken = isMapped()
    const original = require('node-datachannel') as DtlsLibrary
    const path = Object.keys(require.cache).find((name) => name.endsWith(BINARY))
    if (path === undefined) throw new Error(`${BINARY} not found`)
    const copy = loadCopy(path, log)
    if (copy) return copy
    if (taken) throw new Error('another thread has it, and no directory takes a copy')
    return original
  } catch (error) {
    throw new CausewayError('MEDIA_DTLS_UNAVAILABLE', {
      detail: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
}

/** Whether any thread of the process has the binary; asked before this one loads it. */
function isMapped(): boolean {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean }
  const { excludeNetwork = false } = report
  // Names of peers would be looked up.
  report.excludeNetwork = true
  const { sharedObjects } = report.getReport() as { sharedObjects?: string[] }
  report.excludeNetwork = excludeNetwork
  return sharedObjects?.some((name) => name.endsWith(BINARY)) ?? false
}

/** Undefined where no directory can be written to and executed from. */
function loadCopy(original: string, log: Logger): DtlsLibrary | undefined {
  for (const parent of [tmpdir(), '/dev/shm', '/var/tmp']) {
    let directory: string | undefined
    try {
      directory = mkdtempSync(join(parent, 'causeway-'))
      const path = join(directory, BINARY)
      copyFileSync(original, path)
      const module = { exports: {} }
      process.dlopen(module, path, constants.dlopen.RTLD_NOW | (KEEP[process.platform] ?? 0))
      return module.exports as DtlsLibrary
    } catch (error) {
      log.debug({ err: error, parent }, 'no copy of the DTLS library here')
    } finally {
      // Mapped already; Windows alone minds, and leaves it to its own cleaning.
      if (directory) rmSync(directory, { recursive: true, force: true })
    }
  }
  return undefined
}
