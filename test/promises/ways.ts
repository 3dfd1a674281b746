import type { Test } from 'tap'
import { type LabOptions, startLab, type WholeLab } from '../support/whole-lab.ts'

/** One way a call comes about: who calls, over which number, and who hangs up. */
export interface Way {
  direction: 'in' | 'out'
  number: string
  by: 'whatsapp' | 'pbx'
}

/** Both directions over each number, half of them ended by either side. */
export const WAYS: readonly Way[] = [
  { direction: 'in', number: 'sdes', by: 'whatsapp' },
  { direction: 'in', number: 'dtls', by: 'pbx' },
  { direction: 'out', number: 'sdes', by: 'pbx' },
  { direction: 'out', number: 'dtls', by: 'whatsapp' },
]

/**
 * Runs a call in every way, all at once, and looks that nothing of them is left: through a PBX with
 * plain RTP and through one with SDES.
 */
export function everyWay(
  t: Test,
  what: string,
  options: LabOptions,
  run: (t: Test, lab: WholeLab, way: Way) => Promise<void>,
): void {
  t.jobs = 2
  for (const srtp of ['none', 'sdes'] as const) {
    t.test(`${what}; PBX with SRTP ${srtp}`, { buffered: true }, async (t) => {
      const lab = await startLab(t, { ...options, trunk: { ...options.trunk, srtp } })
      await Promise.all(WAYS.map((way) => run(t, lab, way)))
      await lab.nothingHeld(t)
    })
  }
}
