import t from 'tap'
import { tapFailures } from './tap-failures.ts'

/** A file with a failure inside two tests, one skipped and one to be done, and one that was killed. */
const TAP = `TAP version 14
1..3
# Subtest: test/a.test.ts
    # Subtest: outer
        # Subtest: inner
            not ok 1 - numbers agree
              ---
              diff: |
                -2
                +1
              at:
                fileName: test/a.test.ts
                lineNumber: 2
              source: |
                t.equal(1, 2)
              ...
            ok 2 - fine
            1..2
        not ok 1 - inner # time=1ms
        1..1
    not ok 1 - outer # time=2ms
    ok 2 - another day # SKIP no reason
    ok 3 - some day # TODO
    1..3
not ok 1 - test/a.test.ts # time=3ms

# Subtest: test/b.test.ts
    ok 1 - fine
    1..1
not ok 2 - test/b.test.ts # time=3ms
  ---
  command: node
  signal: SIGKILL
  ...

ok 3 - test/c.test.ts
# { total: 6, pass: 3, fail: 1, todo: 1, skip: 1 }
`

t.test('what did not pass is named with its file, its place and what is known of it', async (t) => {
  t.strictSame(tapFailures(TAP), [
    '✗ test/a.test.ts > outer > inner > numbers agree at test/a.test.ts:2\n    diff: -2\n    +1',
    '✗ test/a.test.ts > another day (skipped)',
    '✗ test/a.test.ts > some day (to do)',
    '✗ test/b.test.ts\n    signal: SIGKILL',
  ])
})

t.test('a run without failures has nothing to tell', async (t) => {
  t.strictSame(tapFailures('TAP version 14\n1..1\nok 1 - fine\n'), [])
})
