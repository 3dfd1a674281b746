import { spawn } from 'node:child_process'
import t from 'tap'

/** What a fixture prints as its last line. Whatever ends the process ends the fixture alone. */
async function run(mode: string): Promise<Record<string, unknown>> {
  const path = new URL('./process-fixture.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--expose-gc', path, mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('close', (...end) => resolve(end)),
  )
  if (code !== 0) throw new Error(`${mode}: ${code ?? signal}\n${errors}`)
  return JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, unknown>
}

t.test('several threads, one after another, and one that dies under calls', async (t) => {
  t.same(await run('threads'), { ends: [0, 0, 0, 0, 3, 1, 0, 0] })
})

t.test('no description ends the process', async (t) => {
  const { tried, taken, refused } = await run('hostile')
  t.equal(tried, 400)
  t.ok(Number(taken) > 40, `${taken} taken`)
  t.ok(Number(refused) > 40, `${refused} refused`)
})

t.test('calls leave no file, thread or memory', async (t) => {
  const { files, threads, megabytes, held } = (await run('cycles')) as Record<string, number>
  t.equal(files, 0)
  t.ok(threads! <= 0)
  t.equal(held, 0)
  t.ok(megabytes! < 12, `${megabytes} MB over 150 calls`)
})
