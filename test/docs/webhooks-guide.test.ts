import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DeadLetterFile } from '../../src/events/dead-letter.ts'
import { Target } from '../../src/events/target.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { Secret } from '../../src/shared/secret.ts'
import { until } from '../events/support.ts'
import { blocksOf } from '../support/markdown.ts'

const GUIDE = 'docs/guides/webhooks.md'

t.test('the receiver of the guide takes genuine events, once, and no others', async (t) => {
  const [sample] = blocksOf(GUIDE, 'js')
  const dir = t.testdir()
  const listen = `\nserver.listen(0, '127.0.0.1', () => console.log('port', server.address().port))\n`
  writeFileSync(join(dir, 'receiver.mjs'), sample + listen)
  const child = spawn(process.execPath, [join(dir, 'receiver.mjs')], {
    env: { ...process.env, CRM_SECRET: 'crm-secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(async () => {
    const closed = once(child, 'close')
    child.kill()
    await closed
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  await until('the receiver listens', () => /^port \d+$/m.test(printed))
  const url = `http://127.0.0.1:${/port (\d+)/.exec(printed)![1]}/calls`

  const log = silentLogger()
  const common = { clock: systemClock, random: systemRandom, log }
  const deadLetters = new DeadLetterFile(join(dir, 'dead.jsonl'), log)
  const targetOf = (secret: string): Target => {
    const target = { url, secret: new Secret(secret), events: undefined }
    return new Target({ ...common, name: 'guide', target, deadLetters })
  }
  const [good, bad] = [targetOf('crm-secret'), targetOf('another')]
  const event = {
    id: 'id-1',
    type: 'call.answered',
    key: 'a',
    body: JSON.stringify({ id: 'id-1', type: 'call.answered', data: { consumer: '+33199001234' } }),
  } as const
  good.push(event)
  good.push(event)
  bad.push(event)
  await until('both outcomes', () => good.status().delivered === 2 && bad.status().failures === 1)
  t.equal(bad.status().lastFailure, 'status 401')
  t.equal(printed.split('\n').filter((line) => line === 'call.answered +33199001234').length, 1)
  await Promise.all([good.stop(1000), bad.stop(0)])
  await deadLetters.flushed()
})
