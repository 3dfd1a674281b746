import { createSocket } from 'node:dgram'
import t from 'tap'
import { type Digit, DigitListener, readDigit } from '../../../src/media/rtpengine/digits.ts'

/** As rtpengine 12.5 sends it. */
const TOLD =
  '{"callid":"c1","source_tag":"whatsapp","source_label":"","tags":["whatsapp","pbx0"],"type":"DTMF","timestamp":1795208000,"source_ip":"127.0.0.1","event":5,"duration":100,"volume":10}'

t.test('a keypress is read', async (t) => {
  t.same(readDigit(Buffer.from(TOLD)), {
    callId: 'c1',
    tag: 'whatsapp',
    digit: '5',
    durationMs: 100,
  })
})

const events: [number, string | undefined][] = [
  [0, '0'],
  [9, '9'],
  [10, '*'],
  [11, '#'],
  [12, 'A'],
  [15, 'D'],
  [16, 'flash'],
  [17, undefined],
  [-1, undefined],
  [1.5, undefined],
]
for (const [event, digit] of events) {
  t.test(`event ${event} is ${digit}`, async (t) => {
    const told = TOLD.replace('"event":5', `"event":${event}`)
    t.equal(readDigit(Buffer.from(told))?.digit, digit)
  })
}

for (const text of [
  '',
  'null',
  '5',
  '[]',
  '{}',
  '{"callid":1}',
  '{"callid":"c","source_tag":"t"}',
]) {
  t.test(`${JSON.stringify(text)} is no keypress`, async (t) => {
    t.equal(readDigit(Buffer.from(text)), undefined)
  })
}

t.test('it is heard where rtpengine was told to send it, until the end', async (t) => {
  const heard: Digit[] = []
  const taken = Promise.withResolvers<void>()
  const listener = new DigitListener((digit) => {
    heard.push(digit)
    taken.resolve()
  })
  const where = await listener.destination('127.0.0.1')
  t.match(where, /^127\.0\.0\.1:\d+$/)
  t.equal(await listener.destination('127.0.0.1'), where, 'one socket')
  const socket = createSocket('udp4')
  const port = Number(where?.split(':')[1])
  socket.send('noise', port, '127.0.0.1')
  socket.send(TOLD, port, '127.0.0.1')
  await taken.promise
  t.match(heard, [{ callId: 'c1', digit: '5' }])
  socket.close()
  listener.close()
  listener.close()
})

t.test('an address that is not ours gives no destination', async (t) => {
  const listener = new DigitListener(() => {})
  t.equal(await listener.destination('192.0.2.1'), undefined)
  listener.close()
})
