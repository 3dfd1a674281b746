import { readdirSync, readFileSync } from 'node:fs'

/** /proc counts processor time in ticks of 10 ms (USER_HZ). */
const TICKS_PER_SECOND = 100

/** Seconds of processor time of a process with its threads and children, ended children included. */
export function cpuSeconds(root: number): number {
  let ticks = 0
  for (const pid of processTree(root)) {
    const stat = statOf(pid)
    // utime, stime, cutime and cstime (proc(5), fields 14 to 17)
    if (stat) for (const field of stat.slice(11, 15)) ticks += Number(field)
  }
  return ticks / TICKS_PER_SECOND
}

/**
 * Resident memory of a process with its children in bytes. A page that several of them share counts
 * once (Pss), so that a shared memory pool is not multiplied by the number of workers.
 */
export function memoryBytes(root: number): number {
  let kilobytes = 0
  for (const pid of processTree(root)) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0)
    } catch {
      // It has ended meanwhile.
    }
  }
  return kilobytes * 1024
}

/** A process and all its descendants. */
function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    const parent = Number.isInteger(pid) ? Number(statOf(pid)?.[1]) : Number.NaN
    if (Number.isNaN(parent)) continue
    const list = children.get(parent)
    if (list) list.push(pid)
    else children.set(parent, [pid])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** Fields of /proc/PID/stat from the state on; undefined when the process is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
