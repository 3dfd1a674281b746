import t from 'tap'
import { editDistance, nearest } from '../../src/shared/nearest.ts'

t.test('the edit distance counts a swap of neighbours once', async (t) => {
  const cases: [string, string, number][] = [
    ['', 'abc', 3],
    ['main', 'main', 0],
    ['mian', 'main', 1],
    ['relay', 'rely', 1],
    ['kitten', 'sitting', 3],
  ]
  for (const [a, b, distance] of cases) {
    t.equal(editDistance(a, b), distance, `${a} ${b}`)
    t.equal(editDistance(b, a), distance, `${b} ${a}`)
  }
})

t.test('the nearest known word is suggested, or none', async (t) => {
  const words = ['external_address', 'listen', 'domain', 'tls', 'server']
  const cases: [string, string | undefined][] = [
    ['domian', 'domain'],
    ['externalAddress', 'external_address'],
    ['external', 'external_address'],
    ['lsiten', 'listen'],
    ['tsl', 'tls'],
    ['ca', undefined],
    ['bananas', undefined],
    ['', undefined],
  ]
  for (const [word, known] of cases) t.equal(nearest(word, words), known, word)
})
