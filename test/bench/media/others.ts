import { readFileSync } from 'node:fs'
import { cpuSeconds } from '../sip/process-tree.ts'

/** /proc/stat counts in ticks of 10 ms (USER_HZ). */
const TICKS_PER_SECOND = 100

/**
 * Watches what the rest of the machine uses, the hypervisor's other guests included: all but this
 * process and its children, which relay and driver are. Gives the processors used since the call.
 */
export function watchOthers(): () => number {
  const used = (): number => busySeconds() - cpuSeconds(process.pid)
  const before = used()
  const start = performance.now()
  return () => Math.max(0, (used() - before) / ((performance.now() - start) / 1000))
}

/** Seconds all processors were not idle: all of proc(5)'s fields but idle, iowait and guests. */
function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .map(Number)
  return (user! + nice! + system! + irq! + softirq! + steal!) / TICKS_PER_SECOND
}
