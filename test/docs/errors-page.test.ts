import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { catalogue, type ErrorDefinition } from '../../src/shared/errors/index.ts'
import { ERRORS_PAGE, errorsPage } from '../tools/errors-page.ts'

t.test('the page of errors is the catalogue', async (t) => {
  const page = readFileSync(ERRORS_PAGE, 'utf8')
  t.ok(page === errorsPage(), `${ERRORS_PAGE} is stale: run node test/tools/errors-page.ts`)
})

t.test('every row says what happened, why, and what to do', async (t) => {
  for (const [code, row] of Object.entries<ErrorDefinition>(catalogue)) {
    t.match(
      code,
      /^(APP|CALL|CONFIG|DOCTOR|MEDIA|PERMISSION|SETTINGS|SIP|TRUNK)_[A-Z0-9_]+$/,
      `${code} names its area`,
    )
    t.notMatch(row.summary, /\n/, `${code} sums up in one line`)
    t.ok(row.cause !== '' && row.fix !== '', `${code} has a cause and a fix`)
    if (row.sip !== undefined) t.ok(row.sip >= 400 && row.sip < 700, `${code} ends in a failure`)
    if (row.q850 !== undefined) t.ok(row.q850 > 0 && row.q850 < 128, `${code} has a Q.850 cause`)
  }
})

t.test('every row is of an error that the source makes', async (t) => {
  const source = globSync('src/**/*.ts')
    .filter((file) => !file.startsWith('src/shared/errors/'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  // Those are made of the number of WhatsApp's own error.
  const codes = Object.keys(catalogue).filter((code) => !/^SETTINGS_GRAPH_\d+$/.test(code))
  t.same(
    codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(source)),
    [],
  )
})

t.test('every code the documentation names is in the catalogue', async (t) => {
  const codes = Object.keys(catalogue)
  for (const file of ['README.md', 'docker/README.md', ...globSync('docs/**/*.md')]) {
    const text = readFileSync(file, 'utf8')
    const named = text.matchAll(
      /`((?:APP|CALL|CONFIG|DOCTOR|MEDIA|PERMISSION|SETTINGS|SIP|TRUNK)_[A-Z0-9_]+)`/g,
    )
    const unknown = [...named]
      .map(([, code]) => code!)
      .filter((code) => !codes.some((known) => known.startsWith(code)))
    t.same(unknown, [], file)
  }
})
