import t from 'tap'
import { openNotifySocket } from '../../../src/cli/service/socket.ts'
import { NotifyReceiver } from '../../support/notify-receiver.ts'

for (const abstract of [false, true]) {
  t.test(`a datagram for all assignments, ${abstract ? 'abstract' : 'at a path'}`, async (t) => {
    const receiver = new NotifyReceiver(abstract)
    t.teardown(() => receiver.close())
    const socket = await openNotifySocket(receiver.address)
    await socket.send(['READY=1', 'STATUS=3 calls in progress'])
    await socket.send(['WATCHDOG=1'])
    t.same(await receiver.next(), ['READY=1', 'STATUS=3 calls in progress'])
    t.same(await receiver.next(), ['WATCHDOG=1'])
  })
}

t.test('nobody listens there', async (t) => {
  const socket = await openNotifySocket('/nonexistent/notify')
  await t.rejects(socket.send(['READY=1']), /errno 2 at \/nonexistent\/notify/)
})

for (const address of ['', '@', '/', 'vsock:2:1', 'relative', `/${'x'.repeat(120)}`]) {
  t.test(`not an address: ${address.slice(0, 20)}`, async (t) => {
    await t.rejects(openNotifySocket(address), /neither a path nor an abstract socket/)
  })
}

t.test('without system calls the program of systemd is asked', async (t) => {
  const socket = await openNotifySocket('@somewhere', () => Promise.reject(new Error('no koffi')))
  // Nobody listens: the program fails, or is not installed, and the error names it either way.
  await t.rejects(socket.send(['READY=1']), /systemd-notify/)
})
