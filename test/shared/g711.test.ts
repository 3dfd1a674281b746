import t from 'tap'
import { codesOf, type Law, lawOf, samplesOf } from '../../src/shared/g711.ts'

/**
 * Decision values of G.711 tables 1a and 2a: the end of each segment, cut into 16 equal steps. A-law
 * counts to 4096, µ-law to 8159; 16-bit samples are 8 and 4 times that.
 */
const SEGMENTS = {
  PCMA: { scale: 8, ends: [0, 64, 128, 256, 512, 1024, 2048, 4096], first: 32 },
  PCMU: { scale: 4, ends: [0, 31, 95, 223, 479, 991, 2015, 4063, 8159], first: 16 },
}

/** The lower decision value of each of the 128 positive codes, in the tables' own units. */
function decisions(law: Law): number[] {
  const { ends, first } = SEGMENTS[law]
  const values: number[] = []
  for (let segment = 0; segment + 1 < ends.length; segment++) {
    const steps = segment === 0 ? first : 16
    const low = ends[segment]!
    const width = (ends[segment + 1]! - low) / (law === 'PCMU' && segment === 0 ? 15.5 : steps)
    for (let step = 0; step < steps; step++) {
      // The first µ-law step is half as wide as the others of its segment.
      const at = law === 'PCMU' && segment === 0 ? Math.max(step - 0.5, 0) : step
      values.push(low + at * width)
    }
  }
  return values
}

/** Code of the n-th positive step as it is sent: even bits (A-law) or all bits (µ-law) inverted. */
function sent(law: Law, step: number): number {
  return law === 'PCMA' ? (0x80 | step) ^ 0x55 : 0xff - step
}

for (const law of ['PCMA', 'PCMU'] as const) {
  t.test(`${law}: every decision value of G.711 parts two codes`, async (t) => {
    const { scale } = SEGMENTS[law]
    const values = decisions(law)
    t.equal(values.length, 128)
    for (const [step, value] of values.entries()) {
      const sample = value * scale
      t.equal(codesOf(law)[sample], sent(law, step), `${sample} begins step ${step}`)
      if (step > 0) t.equal(codesOf(law)[sample - 1], sent(law, step - 1), `${sample - 1}`)
    }
  })

  t.test(`${law}: the output value lies in the middle of its step`, async (t) => {
    const { scale, ends } = SEGMENTS[law]
    const values = [...decisions(law), ends.at(-1)!]
    for (let step = 0; step < 128; step++) {
      const middle = ((values[step]! + values[step + 1]!) / 2) * scale
      // The first µ-law step is around zero, whose output is zero.
      const expected = law === 'PCMU' && step === 0 ? 0 : middle
      t.equal(samplesOf(law)[sent(law, step)], expected)
      t.equal(samplesOf(law)[sent(law, step) ^ 0x80], -expected || 0)
    }
  })

  t.test(`${law}: every code survives, negative zero of µ-law aside`, async (t) => {
    for (let code = 0; code < 256; code++) {
      const again = codesOf(law)[samplesOf(law)[code]! & 0xffff]
      t.equal(again, law === 'PCMU' && code === 0x7f ? 0xff : code)
    }
  })
}

t.test('the first values of the tables', async (t) => {
  t.equal(codesOf('PCMA')[0], 0xd5)
  t.equal(codesOf('PCMU')[0], 0xff)
  t.equal(samplesOf('PCMA')[0xd5], 8)
  t.equal(samplesOf('PCMU')[0xff], 0)
  t.equal(samplesOf('PCMA')[0xaa], 32256)
  t.equal(samplesOf('PCMU')[0x80], 32124)
  t.equal(codesOf('PCMA')[32767], 0xaa)
  t.equal(codesOf('PCMU')[-32768 & 0xffff], 0x00)
})

t.test('names of the laws', async (t) => {
  t.equal(lawOf('pcma'), 'PCMA')
  t.equal(lawOf('PCMU'), 'PCMU')
  t.equal(lawOf('G722'), undefined)
})
