import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { anchorsOf, linksOf, pages } from '../support/markdown.ts'

/** Why a link leads nowhere; undefined when it is good or leads out of the repository. */
function fault(page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined
  const [path, anchor] = target.split('#') as [string, string | undefined]
  const file = path === '' ? page : normalize(join(dirname(page), path))
  if (file.startsWith('..')) return 'leaves the repository'
  if (!existsSync(file)) return `${file} does not exist`
  if (anchor === undefined || anchor === '' || !file.endsWith('.md')) return undefined
  return anchorsOf(file).has(anchor) ? undefined : `${file} has no heading #${anchor}`
}

t.test('every relative link resolves, files and anchors', async (t) => {
  let seen = 0
  for (const page of pages()) {
    for (const { target, line } of linksOf(page)) {
      seen++
      t.equal(fault(page, target), undefined, `${page}:${line} ${target}`)
    }
  }
  t.ok(seen > 50, 'links are found at all')
})

t.test('a bad link is told', async (t) => {
  t.match(fault('docs/README.md', 'nowhere.md'), /does not exist/)
  t.match(fault('docs/README.md', 'reference/configuration.md#nowhere'), /no heading/)
  t.match(fault('README.md', '../elsewhere.md'), /leaves/)
  t.equal(fault('README.md', 'docs/reference/errors.md#call_busy'), undefined)
  t.equal(fault('README.md', 'https://example.com/x.md'), undefined)
})

t.test('every page of the documentation is reached from its index', async (t) => {
  const reached = new Set(linksOf('docs/README.md').map(({ target }) => target.split('#')[0]))
  for (const page of pages().filter((path) => /^docs\/.+\/.+\.md$/.test(path))) {
    t.ok(reached.has(page.slice('docs/'.length)), page)
  }
})

t.test('pages that the program names exist', async (t) => {
  for (const file of globSync('src/**/*.ts')) {
    for (const [page] of readFileSync(file, 'utf8').matchAll(/\bdocs\/[\w/-]+\.md\b/g)) {
      t.ok(existsSync(page), `${file} names ${page}`)
    }
  }
})
