import { createSocket } from 'node:dgram'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Daemon, startDaemon } from './daemon.ts'
import { install, peersFolder } from './install.ts'
import { freePort, rtpRange } from './ports.ts'
import { renderFolders } from './render.ts'

/** rtpengine in userspace, running on loopback. */
export interface Rtpengine extends Daemon {
  /** Control port of the ng protocol, UDP. */
  readonly ngPort: number
}

/**
 * Starts rtpengine. `stop` ends it and removes its files.
 *
 * @param threads forwarding threads
 * @param ports width of its RTP port range
 * @param ngPort its control port; a free one by default
 * @param settings more lines of its configuration
 */
export async function startRtpengine(
  options: { threads?: number; ports?: number; ngPort?: number; settings?: string[] } = {},
): Promise<Rtpengine> {
  const { command } = install('rtpengine')
  const state = mkdtempSync(join(peersFolder(), 'run-'))
  const ngPort = options.ngPort ?? (await freePort())
  const { first, last } = rtpRange(options.ports ?? 1000)
  renderFolders([join(import.meta.dirname, '..', 'rtpengine')], state, {
    ADDRESS: '127.0.0.1',
    NG_PORT: ngPort,
    RTP_FIRST: first,
    RTP_LAST: last,
    THREADS: options.threads ?? 2,
  })
  appendFileSync(join(state, 'rtpengine.conf'), `${(options.settings ?? []).join('\n')}\n`)
  const clean = (): void => rmSync(state, { recursive: true, force: true })
  const daemon = await startDaemon({
    name: 'rtpengine',
    command,
    args: [`--config-file=${join(state, 'rtpengine.conf')}`, '--foreground', '--log-stderr'],
    log: join(state, 'log'),
    ready: () => answersPing(ngPort),
  }).catch((error: unknown) => {
    clean()
    throw error
  })
  return {
    pid: daemon.pid,
    log: daemon.log,
    get running() {
      return daemon.running
    },
    ngPort,
    async stop() {
      const code = await daemon.stop()
      clean()
      return code
    },
  }
}

/** Whether an ng ping is answered within 200 ms. */
function answersPing(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(end, 200, false)
    socket.once('message', (message) => end(message.includes('pong')))
    socket.once('error', () => end(false))
    socket.send('probe d7:command4:pinge', port, '127.0.0.1')
  })
}
