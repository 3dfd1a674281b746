import { createSocket } from 'node:dgram'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Daemon, startDaemon } from './daemon.ts'
import { install, peersFolder } from './install.ts'
import { freePort } from './ports.ts'
import { renderFolders } from './render.ts'

/** How Kamailio is set up. */
export interface KamailioOptions {
  /** Folder with kamailio.cfg. */
  configuration: string
  /** UDP port it sends calls to. */
  peerPort: number
  /** Further values of the configuration. */
  values?: Record<string, string | number>
  /** Its port; a free one by default. */
  sipPort?: number
}

/** Kamailio, running on loopback. */
export interface Kamailio extends Daemon {
  /** UDP, and TCP where the configuration has it. */
  readonly sipPort: number
  /** SIGKILL: it says goodbye to nobody. */
  kill(): Promise<void>
}

/** Starts Kamailio. `stop` ends it and removes its files. */
export async function startKamailio(options: KamailioOptions): Promise<Kamailio> {
  const { command, root } = install('kamailio')
  const state = mkdtempSync(join(peersFolder(), 'run-'))
  const [tm] = globSync(join(root, 'usr/lib/**/kamailio/modules/tm.so'))
  if (!tm) throw new Error(`no tm.so below ${root}`)
  const sipPort = options.sipPort ?? (await freePort())
  const values = { SIP_PORT: sipPort, PEER_PORT: options.peerPort, ...options.values }
  renderFolders([options.configuration], state, values)
  const daemon = await startDaemon({
    name: 'Kamailio',
    command,
    // A transaction holds about 10 kB of shared memory for some seconds: room for thousands a second.
    args: [
      '-f',
      join(state, 'kamailio.cfg'),
      '-L',
      dirname(tm),
      '-Y',
      state,
      '-m',
      '2048',
      '-M',
      '16',
      '-DD',
      '-E',
    ],
    log: join(state, 'log'),
    ready: () => answersOptions(sipPort),
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
    async kill() {
      // Its workers hold the sockets too.
      const workers = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8')
      process.kill(daemon.pid, 'SIGKILL')
      for (const pid of workers.split(' ').filter(Boolean)) process.kill(Number(pid), 'SIGKILL')
      while (daemon.running) await sleep(10)
    },
    async stop() {
      const code = await daemon.stop()
      rmSync(state, { recursive: true, force: true })
      return code
    },
  }
}

/** Whether an OPTIONS over UDP is answered within 200 ms. */
export function answersOptions(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  const id = crypto.randomUUID()
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(end, 200, false)
    socket.once('message', () => end(true))
    socket.once('error', () => end(false))
    socket.bind(0, '127.0.0.1', () => {
      const own = socket.address().port
      const lines = [
        `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${own};rport;branch=z9hG4bK${id}`,
        'Max-Forwards: 70',
        `From: <sip:probe@127.0.0.1>;tag=${id}`,
        `To: <sip:127.0.0.1:${port}>`,
        `Call-ID: ${id}`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
      ]
      socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1')
    })
  })
}
