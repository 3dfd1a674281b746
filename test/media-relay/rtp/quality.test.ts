import t from 'tap'
import {
  meanOpinion,
  type QualityInput,
  rating,
  scoreOf,
} from '../../../src/media-relay/rtp/index.ts'

const clean: QualityInput = {
  codec: 'PCMA',
  lossRate: 0,
  meanLossRun: 1,
  jitterMs: 0,
  rttMs: 0,
  ptimeMs: 20,
}

t.test('the curve of ITU-T G.107 annex B', async (t) => {
  const rows: [number, number][] = [
    [-5, 1],
    [0, 1],
    [50, 2.58],
    [60, 3.1],
    [70, 3.6],
    [80, 4.02],
    [90, 4.34],
    [93.2, 4.41],
    [100, 4.5],
  ]
  for (const [r, mos] of rows) t.ok(Math.abs(scoreOf(r) - mos) < 0.01, `R ${r}: ${scoreOf(r)}`)
})

t.test('what makes it worse', async (t) => {
  const rows: [string, Partial<QualityInput>, Partial<QualityInput>][] = [
    ['loss', {}, { lossRate: 0.02 }],
    ['more loss', { lossRate: 0.02 }, { lossRate: 0.1 }],
    ['loss in bursts', { lossRate: 0.05 }, { lossRate: 0.05, meanLossRun: 3 }],
    ['delay', {}, { rttMs: 300 }],
    ['much delay', { rttMs: 300 }, { rttMs: 600 }],
    ['jitter', {}, { jitterMs: 40 }],
    ['G.711 with loss against Opus', { lossRate: 0.05, codec: 'opus' }, { lossRate: 0.05 }],
  ]
  for (const [name, better, worse] of rows) {
    t.ok(meanOpinion({ ...clean, ...better }) > meanOpinion({ ...clean, ...worse }), name)
  }
})

t.test('known points', async (t) => {
  t.ok(Math.abs(rating(clean) - 92.72) < 0.01)
  t.equal(meanOpinion(clean), 4.4)
  t.equal(meanOpinion({ ...clean, lossRate: 1 }) < 2, true)
  t.equal(meanOpinion({ ...clean, lossRate: 1, rttMs: 10_000 }), 1)
  t.equal(meanOpinion({ ...clean, rttMs: undefined }), 4.4)
})
