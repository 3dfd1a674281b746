import { dirname } from 'node:path'
import type { DoctorContext } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** Milliseconds of skew from which the clock warns and fails. */
const SKEW = { warn: 30_000, fail: 300_000 }

/** Our clock against the Date of Graph's answers. */
export const clock: Check = {
  id: 'clock',
  area: 'This machine',
  title: 'the clock is right',
  needs: [],
  async run({ config, graph }) {
    const asked = config.numbers.find(({ accessToken }) => accessToken)
    if (!asked) return [skip('no number has an access token, so Graph is not asked')]
    const { error } = await graph.settings(asked)
    const skew = graph.skew()
    if (skew === undefined) {
      return [skip(`Graph gave no time${error ? ` (${error.code})` : ''}`)]
    }
    return [judgeSkew(skew)]
  },
}

/** @param skew milliseconds our clock is ahead of Graph's */
export function judgeSkew(skew: number): Finding {
  const seconds = Math.round(Math.abs(skew) / 1000)
  if (Math.abs(skew) <= SKEW.warn) return pass(`within ${Math.max(1, seconds)} s of Graph’s time`)
  const evidence = `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} Graph’s time`
  return problem(Math.abs(skew) > SKEW.fail ? 'fail' : 'warn', 'DOCTOR_CLOCK_SKEW', { evidence })
}

const MIB = 1024 * 1024
/** Bytes free from which the disk fails and warns. */
const SPACE = { fail: 100 * MIB, warn: 1024 * MIB }

/** Room for call records and journal. */
export const disk: Check = {
  id: 'disk',
  area: 'This machine',
  title: 'records.path can be written and has room',
  needs: [],
  async run({ config, system }) {
    const { path } = config.records
    const { folder, space } = await existing(path, system)
    if (!(await system.writable(folder))) {
      return [problem('fail', 'DOCTOR_DISK_UNWRITABLE', { evidence: `${folder} is not writable` })]
    }
    return [judgeSpace(path, space)]
  },
}

/** The folder, or the nearest one above it that exists: Causeway makes the rest. */
async function existing(path: string, system: DoctorContext['system']) {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      return { folder, space: await system.space(folder) }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    }
  }
}

/** Judges the free bytes of the file system `path` is on. */
export function judgeSpace(path: string, space: { free: number; total: number }): Finding {
  const evidence = `${size(space.free)} of ${size(space.total)} free at ${path}`
  if (space.free >= SPACE.warn) return pass(evidence)
  return problem(space.free < SPACE.fail ? 'fail' : 'warn', 'DOCTOR_DISK_LOW', { evidence })
}

function size(bytes: number): string {
  return bytes >= 1024 * MIB
    ? `${(bytes / 1024 / MIB).toFixed(1)} GiB`
    : `${Math.floor(bytes / MIB)} MiB`
}

/** Files a call may have open: RTP and RTCP on two legs, and its share of connections. */
const FILES_PER_CALL = 6

/** Open files the system allows. */
export const openFiles: Check = {
  id: 'open-files',
  area: 'This machine',
  title: 'enough files may be open for limits.calls',
  needs: [],
  async run({ config, system }) {
    const limit = await system.openFiles()
    if (limit === undefined) return [skip('this system does not tell its limits')]
    return [judgeOpenFiles(limit, config.limits.calls)]
  },
}

/** Judges the limit of this process, which Causeway shares when the same user starts it. */
export function judgeOpenFiles(limit: number, calls: number): Finding {
  const needed = calls * FILES_PER_CALL
  const allowed = limit === Number.POSITIVE_INFINITY ? 'any number of' : String(limit)
  const evidence = `${allowed} files may be open, ${calls} calls need up to ${needed}`
  return limit >= needed ? pass(evidence) : problem('fail', 'DOCTOR_OPEN_FILES', { evidence })
}
