import { readFileSync } from 'node:fs'
import t from 'tap'
import { verbs } from '../../src/cli/verbs/index.ts'
import { pages } from '../support/markdown.ts'

/** What stands where a reader would copy a command from: code spans and shell blocks. */
function commands(page: string): string[] {
  const text = readFileSync(page, 'utf8')
  return [
    ...[...text.matchAll(/`(?:npm run )?causeway (?:-- )?([a-z][^`\n]*)`/g)].map(([, it]) => it!),
    ...[...text.matchAll(/^\$? ?(?:npm run )?causeway (?:-- )?([a-z].*)$/gm)].map(([, it]) => it!),
  ]
}

t.test('every command that the pages name exists', async (t) => {
  const names = Object.keys(verbs)
  let seen = 0
  // The catalogue's own page and the history follow their own rules.
  const own = pages().filter((page) => !/errors\.md$|CHANGELOG|decisions/.test(page))
  for (const page of own) {
    for (const command of commands(page)) {
      seen++
      const known = names.some((name) => command === name || command.startsWith(`${name} `))
      t.ok(known, `${page}: causeway ${command}`)
    }
  }
  t.ok(seen > 5, 'commands are found at all')
})
