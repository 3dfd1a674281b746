import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { install, peersFolder } from './install.ts'
import { freePort } from './ports.ts'

/** One SIPp process. */
export interface SippOptions {
  /** Path of the scenario. */
  scenario: string
  /** Local SIP port. */
  port: number
  /** `host:port` a caller sends to; undefined for a callee. */
  target?: string
  /** Everything else, as on the command line. */
  args?: string[]
  /** Values of [name] in the scenario. */
  keys?: Record<string, string>
}

/** What SIPp counted. */
export interface SippResult {
  /** Its exit code; 0 when no call failed. Null when it was stopped. */
  code: number | null
  created: number
  succeeded: number
  failed: number
  /** Requests and responses sent again. */
  retransmissions: number
  /** Messages the scenario did not foresee. */
  unexpected: number
  /** Milliseconds by timer of the scenario, in order of measurement. */
  times: Map<string, number[]>
  /** The last errors it wrote, for messages. */
  errors: string
}

/** A running SIPp. */
export interface Sipp {
  readonly pid: number
  /** Calls in progress, and all there were, as last written (once a second). */
  counts(): { current: number; created: number; succeeded: number; failed: number }
  /** Resolves when it ends by itself. */
  done(): Promise<SippResult>
  /** Ends a callee, or a caller before its time. */
  stop(): Promise<SippResult>
}

/** Starts SIPp on 127.0.0.1. `done` or `stop` removes its files. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  const { command } = install('sipp')
  const cwd = mkdtempSync(join(peersFolder(), 'sipp-'))
  const keys = Object.entries(options.keys ?? {}).flatMap(([name, value]) => ['-key', name, value])
  const args = [
    ...['-sf', options.scenario, '-i', '127.0.0.1', '-p', String(options.port), '-nostdin'],
    ...['-timer_resol', '1', '-trace_stat', '-stf', join(cwd, 'stat.csv'), '-fd', '1'],
    ...['-trace_err', '-error_file', join(cwd, 'errors.log'), '-trace_rtt', '-rtt_freq', '1'],
    ...['-cp', String(await freePort()), '-buff_size', '1048576', ...keys, ...(options.args ?? [])],
    ...(options.target ? [options.target] : []),
  ]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-4000)
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const finish = async (): Promise<SippResult> => {
    const code = await ended
    const result = { code, ...readStatistics(cwd), times: readTimes(cwd) }
    const errors = `${readOr(join(cwd, 'errors.log'))}${stderr}`.trim().slice(0, 4000)
    rmSync(cwd, { recursive: true, force: true })
    return { ...result, errors }
  }
  let result: Promise<SippResult> | undefined
  const done = (): Promise<SippResult> => (result ??= finish())
  await listening(options, () => child.exitCode !== null)
  return {
    pid: child.pid!,
    counts: () => currentCounts(cwd),
    done,
    async stop() {
      // It would wait for calls in progress; the statistics of the last second are enough here.
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
      await ended
      clearTimeout(timer)
      return done()
    },
  }
}

/** Waits until SIPp has bound its port. */
async function listening(options: SippOptions, gone: () => boolean): Promise<void> {
  const port = options.port.toString(16).toUpperCase().padStart(4, '0')
  const bound = new RegExp(`^ *\\d+: [0-9A-F]+:${port} `, 'm')
  const tables = ['udp', 'udp6', 'tcp', 'tcp6'].map((name) => `/proc/net/${name}`)
  while (!gone() && !tables.some((table) => bound.test(readOr(table)))) await sleep(10)
}

type Row = Record<string, string>

/** The last line of the statistics that is written whole, by column; empty before the first. */
function lastRow(cwd: string): Row {
  return wholeRow(readOr(join(cwd, 'stat.csv')))
}

/** The last line of a table with a line of names, by name. What has no line end yet is not read. */
export function wholeRow(table: string): Row {
  const [names, ...rows] = table.split('\n').slice(0, -1)
  const last = rows.at(-1)?.split(';')
  if (!names || !last) return {}
  return Object.fromEntries(names.split(';').map((key, index) => [key, last[index] ?? '']))
}

function currentCounts(cwd: string): ReturnType<Sipp['counts']> {
  const row = lastRow(cwd)
  return {
    current: Number(row['CurrentCall'] ?? 0),
    created: Number(row['TotalCallCreated'] ?? 0),
    succeeded: Number(row['SuccessfulCall(C)'] ?? 0),
    failed: Number(row['FailedCall(C)'] ?? 0),
  }
}

function readStatistics(cwd: string): Omit<SippResult, 'code' | 'times' | 'errors'> {
  const row = lastRow(cwd)
  const of = (key: string): number => Number(row[`${key}(C)`] ?? 0)
  return {
    created: Number(row['TotalCallCreated'] ?? 0),
    succeeded: of('SuccessfulCall'),
    failed: of('FailedCall'),
    retransmissions: of('Retransmissions'),
    unexpected: of('FailedUnexpectedMessage') + of('OutOfCallMsgs') + of('DeadCallMsgs'),
  }
}

/** The `-trace_rtt` file: a line of time, milliseconds and timer for each measurement. */
function readTimes(cwd: string): Map<string, number[]> {
  const times = new Map<string, number[]>()
  for (const file of readdirSync(cwd).filter((name) => name.endsWith('_rtt.csv'))) {
    for (const line of readOr(join(cwd, file)).split('\n').slice(1)) {
      const [, milliseconds, timer] = line.split(';')
      if (!timer) continue
      const list = times.get(timer.trim())
      if (list) list.push(Number(milliseconds))
      else times.set(timer.trim(), [Number(milliseconds)])
    }
  }
  return times
}

function readOr(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
