import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { blocksOf } from '../support/markdown.ts'

const GUIDES = ['install', 'certificate', 'nat', 'migration', 'upgrade', 'operating']
const page = (guide: string): string => `docs/guides/${guide}.md`

for (const file of [...GUIDES.map(page), 'docker/README.md']) {
  t.test(`the commands of ${file} are shell`, async (t) => {
    const blocks = blocksOf(file, 'sh')
    t.ok(blocks.length > 0)
    for (const block of blocks) {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: block, encoding: 'utf8' })
      t.equal(status, 0, stderr || block)
    }
  })
}

/** The hook of the guide, with folders of the test and an `install` that needs no root. */
function hook(t: Test, lineage: string) {
  const dir = t.testdir({
    bin: {},
    tls: {},
    live: { 'sip.example.com': {}, 'other.example.com': {} },
  })
  const script = blocksOf(page('certificate'), 'sh').find((block) => block.startsWith('#!/bin/sh'))!
  writeFileSync(join(dir, 'hook'), script.replace('/etc/causeway/tls', join(dir, 'tls')))
  writeFileSync(
    join(dir, 'bin', 'install'),
    '#!/bin/sh\n[ "$1 $2 $3 $4" = "-o root -g causeway" ] || exit 9\nshift 4\nexec /usr/bin/install "$@"\n',
    { mode: 0o755 },
  )
  for (const file of ['privkey.pem', 'fullchain.pem']) {
    writeFileSync(join(dir, 'live', lineage, file), `new ${file}`)
    writeFileSync(join(dir, 'tls', file), `old ${file}`)
  }
  const env = {
    PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
    RENEWED_LINEAGE: join(dir, 'live', lineage),
  }
  const result = spawnSync('sh', [join(dir, 'hook')], { env, encoding: 'utf8' })
  return { ...result, tls: join(dir, 'tls') }
}

t.test('the renewal hook puts both files in place, readable by the group alone', async (t) => {
  const { status, stderr, tls } = hook(t, 'sip.example.com')
  t.equal(status, 0, stderr)
  for (const file of ['privkey.pem', 'fullchain.pem']) {
    t.equal(readFileSync(join(tls, file), 'utf8'), `new ${file}`)
    t.equal(statSync(join(tls, file)).mode & 0o777, 0o640)
  }
})

t.test('the renewal hook leaves the certificate of another name alone', async (t) => {
  const { status, tls } = hook(t, 'other.example.com')
  t.equal(status, 0)
  t.equal(readFileSync(join(tls, 'privkey.pem'), 'utf8'), 'old privkey.pem')
})
