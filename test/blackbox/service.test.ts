import { writeFileSync } from 'node:fs'
import t from 'tap'
import { NotifyReceiver } from '../support/notify-receiver.ts'
import { pbxBye, userTalk } from './support/calls.ts'
import { withLab } from './support/lab.ts'

t.test('started by systemd: ready, reloads, the watchdog, the stop', async (t) => {
  const manager = new NotifyReceiver(true)
  t.teardown(() => manager.close())
  const env = { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC: '400000' }
  await withLab(t, { env }, async (lab) => {
    const start = await manager.until('READY=1')
    t.equal((await fetch(`${lab.at.http}/readyz`)).status, 200, 'calls can be taken then')
    t.ok(start.length > 0)
    const talk = await userTalk(lab)
    await manager.until('STATUS=1 call in progress')
    await manager.until('WATCHDOG=1')

    lab.up.signal('SIGHUP')
    const good = await manager.until('RELOADING=1')
    t.match(good.at(-2), /^MONOTONIC_USEC=\d+$/)
    await manager.until('READY=1')

    writeFileSync(lab.file, 'sip: [')
    lab.up.signal('SIGHUP')
    await manager.until('RELOADING=1')
    const bad = await manager.until('READY=1')
    t.match(bad.at(-1), /^STATUS=reload refused: CONFIG_YAML_SYNTAX .* at .*causeway\.yaml:1:/)

    lab.up.signal('SIGTERM')
    const stop = await manager.until('STOPPING=1')
    t.equal(stop.at(-1), 'STATUS=draining: 1 call in progress')
    await pbxBye(lab, talk)
    t.equal(await lab.up.exited, 0)
  })
})
