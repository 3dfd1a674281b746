import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Daemon, startDaemon } from './daemon.ts'
import { install, peersFolder } from './install.ts'
import { freePort, rtpRange } from './ports.ts'
import { renderFolders } from './render.ts'

/** How Asterisk is set up. */
export interface AsteriskOptions {
  /** UDP port calls out of the trunk go to. */
  peerPort: number
  /** Folder of configuration that replaces or adds to test/peers/asterisk. */
  configuration?: string
  /** RTP ports it may use; two for each leg of a call. Default 400. */
  rtpPorts?: number
  /** SIP port of one that was there before. Default: a free one. */
  sipPort?: number
  /** Values of further `@NAME@` in that folder. */
  values?: Record<string, string | number>
}

/** Asterisk, running on loopback. */
export interface Asterisk extends Daemon {
  /** UDP. */
  readonly sipPort: number
  /** Base URL of ARI. */
  readonly ari: string
  /** `user:password` of ARI. */
  readonly credentials: string
  /** Folder of its recordings. */
  readonly spool: string
  /** Runs a command of its console; returns what it prints. */
  cli(command: string): string
  /** SIGKILL: no BYE, no BYE of RTCP. Resolves when it is gone. */
  kill(): Promise<void>
}

const configuration = join(import.meta.dirname, '..', 'asterisk')

/** Starts Asterisk with chan_pjsip and a UDP trunk. `stop` ends it and removes its files. */
export async function startAsterisk(options: AsteriskOptions): Promise<Asterisk> {
  const { command, root } = install('asterisk')
  const state = mkdtempSync(join(peersFolder(), 'run-'))
  for (const folder of ['lib', 'spool', 'spool/monitor', 'run', 'log'])
    mkdirSync(join(state, folder))
  const [chanPjsip] = globSync(join(root, 'usr/lib/**/chan_pjsip.so'))
  if (!chanPjsip) throw new Error(`no chan_pjsip.so below ${root}`)
  const sipPort = options.sipPort ?? (await freePort())
  const httpPort = await freePort()
  const rtp = rtpRange(options.rtpPorts ?? 400)
  const secret = crypto.randomUUID()
  const folders = [configuration, ...(options.configuration ? [options.configuration] : [])]
  renderFolders(folders, join(state, 'etc'), {
    STATE: state,
    ROOT: root,
    MODULES: dirname(chanPjsip),
    SIP_PORT: sipPort,
    HTTP_PORT: httpPort,
    PEER_PORT: options.peerPort,
    RTP_FIRST: rtp.first,
    RTP_LAST: rtp.last,
    SECRET: secret,
    BASE: configuration,
    ...options.values,
  })
  const settings = ['-C', join(state, 'etc', 'asterisk.conf')]
  const cli = (line: string): string =>
    spawnSync(command, [...settings, '-rx', line], { encoding: 'utf8' }).stdout
  const daemon = await startDaemon({
    name: 'Asterisk',
    command,
    args: [...settings, '-f', '-n', '-v'],
    log: join(state, 'log', 'console'),
    ready: () => cli('core waitfullybooted').includes('fully booted'),
  }).catch((error: unknown) => {
    rmSync(state, { recursive: true, force: true })
    throw error
  })
  return {
    pid: daemon.pid,
    log: daemon.log,
    get running() {
      return daemon.running
    },
    sipPort,
    ari: `http://127.0.0.1:${httpPort}/ari`,
    credentials: `tester:${secret}`,
    spool: join(state, 'spool'),
    cli,
    async kill() {
      process.kill(daemon.pid, 'SIGKILL')
      while (daemon.running) await sleep(10)
    },
    async stop() {
      const code = await daemon.stop()
      rmSync(state, { recursive: true, force: true })
      return code
    },
  }
}
