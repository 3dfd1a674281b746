import t from 'tap'
import { Tracing } from '../../src/app/tracing.ts'
import { CallRegistry, hungUpBy } from '../../src/calls/index.ts'
import type { Config } from '../../src/config/types.ts'
import type { TapBatch } from '../../src/embedded-drachtio/index.ts'
import { createLogger, type LogLevel } from '../../src/shared/log.ts'
import { wire } from '../capture/support.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { FakeClock } from '../support/fake-clock.ts'

function tracing(level: LogLevel = 'info', change: Partial<Config['trace']> = {}) {
  const clock = new FakeClock()
  const calls = new CallRegistry(clock)
  const lines: string[] = []
  const log = createLogger({
    level,
    numbers: 'full',
    destination: { write: (line) => void lines.push(line) },
  })
  let config = labConfig()
  const set = (next: Partial<Config['trace']>): void => {
    config = { ...config, trace: { ...config.trace, ...next } }
  }
  set(change)
  let take: ((batch: TapBatch) => void) | undefined
  const sip = {
    tap: (next: typeof take): void => {
      take = next
    },
  }
  const it = new Tracing({ config: () => config, calls, sip, clock, log })
  return {
    it,
    calls,
    lines,
    log,
    taps: () => take !== undefined,
    see: (...messages: TapBatch['messages']) => take?.({ messages, bytes: 0, lost: 0 }),
    reload(next: Partial<Config['trace']>) {
      set(next)
      it.configure()
    },
    value: (name: string, reason?: string) =>
      it
        .metrics()
        .find((family) => family.name === name)
        ?.samples.find(({ labels }) => labels['reason'] === reason)?.value,
  }
}

const begin = (calls: CallRegistry, id = '1') =>
  calls.begin({
    id,
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
  })

t.test('off: nothing is tapped, and a call says why it has no messages', async (t) => {
  const { it, calls, taps } = tracing()
  t.notOk(taps())
  begin(calls)
  t.throws(() => it.messages('1'), { code: 'APP_MESSAGES_OFF' })
  t.throws(() => it.pcap('1'), { code: 'APP_MESSAGES_OFF' })
  t.throws(() => it.messages('2'), { code: 'APP_CALL_UNKNOWN' })
  await it.stop()
})

t.test('switched on under way, calls in progress are joined; off again, all goes', async (t) => {
  const { it, calls, taps, see, reload, value } = tracing()
  const call = begin(calls)
  call.join('pbx', 'one@pbx')
  reload({ messages: 'calls' })
  t.ok(taps())
  t.throws(() => it.messages('1'), { code: 'APP_MESSAGES_NONE' })
  see(wire())
  t.match(it.messages('1'), { id: '1', messages: [{ leg: 'pbx', what: 'INVITE' }], dropped: 0 })
  t.ok(it.pcap('1').length > 24)
  call.moveTo('calling')
  call.moveTo('answered')
  call.end(hungUpBy('pbx'))
  t.equal(it.messages('1').messages.length, 1, 'they outlive the call')
  reload({ calls: 1 })
  t.equal(value('trace_messages'), 1)
  reload({ messages: 'off' })
  t.notOk(taps())
  t.equal(value('trace_messages'), 1, 'a counter does not go back')
  reload({ messages: 'calls' })
  see(wire(), wire({ callId: 'x' }))
  t.equal(value('trace_messages'), 3)
  await it.stop()
  t.notOk(taps())
})

t.test('log.level trace: every message in the log, redacted, under its call', async (t) => {
  const { it, calls, lines, log, taps, see } = tracing('trace')
  t.ok(taps())
  const call = begin(calls)
  call.join('pbx', 'one@pbx')
  const text = 'INVITE sip:a@b SIP/2.0\r\nCall-ID: one@pbx\r\nAuthorization: Basic c2VjcmV0\r\n\r\n'
  see(wire({ text }), wire({ callId: 'stranger', start: 'OPTIONS sip:a@b SIP/2.0' }))
  t.equal(lines.length, 2)
  t.match(JSON.parse(lines[0]!), {
    msg: 'SIP message',
    call: '1',
    leg: 'pbx',
    dir: 'in',
    transport: 'udp',
    local: '10.0.0.5:5060',
    remote: '10.0.0.9:5062',
    sip: /^INVITE sip:a@b SIP\/2\.0\r\n/,
  })
  t.notMatch(lines[0], 'c2VjcmV0')
  t.notMatch(lines[1], '"call"')
  t.throws(() => it.messages('1'), { code: 'APP_MESSAGES_OFF' }, 'nothing is kept')
  log.level = 'info'
  it.configure()
  t.notOk(taps())
  await it.stop()
})

t.test('lost messages are counted by why', async (t) => {
  const { it, calls, see, value } = tracing('info', { messages: 'calls', keep: 4, memory: 600 })
  begin(calls).join('pbx', 'one@pbx')
  see(...Array.from({ length: 6 }, (_, index) => wire({ start: `M${index} sip:a SIP/2.0` })))
  t.equal(value('trace_messages_lost', 'call'), 2)
  see(wire({ start: `LARGE sip:${'x'.repeat(600)} SIP/2.0` }))
  t.equal(value('trace_messages_lost', 'memory'), 1)
  t.equal(value('trace_messages_lost', 'behind'), 0)
  t.ok(value('trace_kept_bytes')! > 0)
  await it.stop()
})
