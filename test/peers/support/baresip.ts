import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { type Daemon, startDaemon } from './daemon.ts'
import { install, peersFolder } from './install.ts'
import { freePort, rtpRange } from './ports.ts'
import { render } from './render.ts'
import { toneMilliseconds } from './wav.ts'

/** How baresip is set up. */
export interface BaresipOptions {
  /** Address of all its sockets. */
  address: string
  /** Command that runs it elsewhere, as in a network namespace. */
  command?: readonly string[]
  /** Parameters of its account: `;mediaenc=srtp-mand;audio_codecs=opus/48000/2`. */
  account: string
  /** What it says, in Hz. */
  tone: number
}

/** baresip as a PBX: it answers every call, says a tone and records what it hears. */
export interface Baresip extends Daemon {
  readonly sipPort: number
  /** Calls a URI. */
  dial(uri: string): Promise<void>
  hangup(): Promise<void>
  /** What it heard in its calls so far, as WAV files; complete once a call has ended. */
  heard(): string[]
  /** Forgets the recordings. */
  forget(): void
}

/** Starts baresip. `stop` ends it and removes its files. */
export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const { command: program } = install('baresip')
  const { address, tone, account, command = [] } = options
  const state = mkdtempSync(join(peersFolder(), 'run-'))
  const audio = join(state, 'audio')
  mkdirSync(audio)
  const [modules] = globSync('/usr/lib/**/baresip/modules/ctrl_tcp.so')
  if (!modules) throw new Error('no modules of baresip')
  const sipPort = await freePort()
  const controlPort = await freePort()
  const rtp = rtpRange(100)
  const template = join(import.meta.dirname, '..', 'baresip', 'baresip.conf')
  const config = render(readFileSync(template, 'utf8'), {
    ADDRESS: address,
    SIP_PORT: sipPort,
    CONTROL_PORT: controlPort,
    RTP_FIRST: rtp.first,
    RTP_LAST: rtp.last,
    STATE: state,
    TONE: tone,
    MODULES: dirname(modules),
  })
  writeFileSync(join(state, 'config'), config)
  writeFileSync(
    join(state, 'accounts'),
    `<sip:baresip@${address}:${sipPort}>;regint=0;answermode=auto${account}\n`,
  )
  writeFileSync(join(state, 'contacts'), '')
  const [first = program, ...rest] = [...command, program]
  const daemon = await startDaemon({
    name: 'baresip',
    command: first,
    args: [...rest, '-f', state, '-v'],
    log: join(state, 'log'),
    ready: () => reachable(address, controlPort),
  }).catch((error: unknown) => {
    rmSync(state, { recursive: true, force: true })
    throw error
  })
  const control = (name: string, params = ''): Promise<void> =>
    send(address, controlPort, JSON.stringify({ command: name, params, token: 'test' }))
  return {
    pid: daemon.pid,
    log: daemon.log,
    get running() {
      return daemon.running
    },
    sipPort,
    dial: (uri) => control('dial', uri),
    hangup: () => control('hangup'),
    heard: () => globSync(join(audio, 'dump-*-dec.wav')),
    forget: () => {
      for (const file of globSync(join(audio, '*.wav'))) rmSync(file)
    },
    async stop() {
      const code = await daemon.stop()
      rmSync(state, { recursive: true, force: true })
      return code
    },
  }
}

/**
 * Milliseconds of a recording (16 bit, any rate that 8000 divides) in which a tone carries most of
 * the sound.
 */
export function recordedTone(file: string, frequency: number): number {
  const data = readFileSync(file)
  const channels = data.readUInt16LE(22)
  const rate = data.readUInt32LE(24)
  const start = data.indexOf('data', 36, 'latin1') + 8
  const step = 2 * channels * (rate / 8000)
  const count = Math.max(0, Math.floor((data.length - start) / step))
  const plain = Buffer.alloc(44 + 2 * count)
  for (let i = 0; i < count; i++) plain.writeInt16LE(data.readInt16LE(start + i * step), 44 + 2 * i)
  const copy = `${file}.8000`
  writeFileSync(copy, plain)
  return toneMilliseconds(copy, frequency)
}

function reachable(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host)
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(500, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

/** Sends a command as a netstring; resolves with its answer. */
function send(host: string, port: number, json: string): Promise<void> {
  const socket = connect(port, host)
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setTimeout(5000, () => reject(new Error(`baresip does not answer ${json}`)))
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
      if (!text.includes('"token":"test"')) return
      socket.destroy()
      resolve()
    })
    socket.write(`${Buffer.byteLength(json)}:${json},`)
  })
}
