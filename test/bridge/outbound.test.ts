import t from 'tap'
import type { OutboundGate } from '../../src/bridge/index.ts'
import { CausewayError, type ErrorCode } from '../../src/shared/errors/index.ts'
import { answeredByWhatsApp, bare, bridgeLab, settle } from '../support/bridge-lab.ts'

/** A gate whose verdict the test gives. */
class ScriptedGate implements OutboundGate {
  readonly asked: string[] = []
  abandoned = 0
  #answer = Promise.withResolvers<CausewayError | undefined>()

  admit(number: { name: string }, trunk: { name: string }, consumer: string) {
    this.asked.push(`${number.name} ${trunk.name} ${consumer}`)
    return {
      verdict: this.#answer.promise,
      abandon: () => {
        this.abandoned++
      },
    }
  }

  decide(refusal?: CausewayError): void {
    this.#answer.resolve(refusal)
  }

  fail(error: unknown): void {
    this.#answer.reject(error)
  }
}

const WAYS: [ErrorCode, status: number, q850: number][] = [
  ['CALL_WHATSAPP_NO_PERMISSION', 403, 21],
  ['CALL_PERMISSION_REQUESTED', 480, 31],
  ['CALL_PERMISSION_REQUEST_LIMIT', 403, 29],
  ['CALL_WHATSAPP_DAILY_LIMIT', 480, 42],
  ['CALL_WHATSAPP_UNCALLABLE', 404, 20],
  ['CALL_WHATSAPP_PAUSED', 403, 52],
  ['CALL_WHATSAPP_COUNTRY_BARRED', 403, 50],
  ['CALL_OUTSIDE_HOURS', 480, 63],
]

t.test('each refusal reaches the PBX with status, Reason and code, at once or later', async (t) => {
  for (const [code, status, q850] of WAYS) {
    const error = new CausewayError(code, { detail: 'the facts' })
    const gate = new ScriptedGate()
    for (const later of [false, true]) {
      const lab = await bridgeLab({}, undefined, later ? gate : { admit: () => error })
      const invite = lab.fromPbx()
      if (later) {
        t.same(invite.statuses, [])
        gate.decide(error)
        await settle()
      }
      t.match(invite.responses, [
        {
          status,
          headers: {
            Reason: `Q.850;cause=${q850};text="${error.definition.summary}"`,
            Warning: `399 sip.example.com "${code}: the facts"`,
          },
        },
      ])
      t.same(lab.port.sent, [], 'WhatsApp hears nothing')
      t.equal(lab.media.sessions.length, 0, 'no media is taken')
      const record = await bare(t, lab)
      t.match(record.cause, { code, result: 'refused', sip: status, q850 })
    }
  }
})

t.test('an open gate adds no step to the call', async (t) => {
  const known = await bridgeLab()
  const gated = await bridgeLab({}, undefined, { admit: () => undefined })
  for (const lab of [known, gated]) {
    lab.fromPbx()
    t.equal(lab.media.sessions.length, 1, 'media is taken before anything is awaited')
    await settle()
    lab.port.last!.respond(486, 'User declined the call')
    await bare(t, lab)
  }
})

t.test('a call that may leave goes on as ever', async (t) => {
  const gate = new ScriptedGate()
  const lab = await bridgeLab({}, undefined, gate)
  const invite = lab.fromPbx()
  await settle()
  t.same(gate.asked, ['support main +33199001234'])
  t.same(lab.port.sent, [])
  t.equal(lab.calls.size, 1, 'it counts while it waits')
  gate.decide()
  await settle()
  lab.port.last!.respond(200, 'OK', { body: 'wa-answer' })
  await settle()
  t.equal(invite.last?.status, 200)
  lab.inDialog('BYE', invite.madeDialog)
  await bare(t, lab)
  t.equal(gate.abandoned, 0)
})

t.test('the PBX cancels during the check', async (t) => {
  const gate = new ScriptedGate()
  const lab = await bridgeLab({}, undefined, gate)
  const invite = lab.fromPbx()
  invite.cancel()
  t.equal(gate.abandoned, 1)
  t.equal((await bare(t, lab)).cause?.code, 'CALL_CANCELLED')
  gate.decide(new CausewayError('CALL_WHATSAPP_NO_PERMISSION'))
  await settle()
  t.same(invite.statuses, [], 'the SIP server has answered 487')
  t.same(lab.port.sent, [])
})

t.test('a verdict that lets a cancelled call out comes too late', async (t) => {
  const gate = new ScriptedGate()
  const lab = await bridgeLab({}, undefined, gate)
  lab.fromPbx().cancel()
  gate.decide()
  await bare(t, lab)
  t.same(lab.port.sent, [])
})

t.test('hanging up, draining and losing the SIP server during the check', async (t) => {
  const ends: [ErrorCode, (lab: Awaited<ReturnType<typeof bridgeLab>>) => void][] = [
    ['CALL_ENDED_BY_OPERATOR', (lab) => lab.bridge.hangUp([...lab.calls.active()][0]!.id)],
    ['CALL_DRAINED', (lab) => void lab.bridge.drain(0)],
    ['CALL_SIP_SERVER_LOST', (lab) => lab.port.events!.onDisconnected('gone')],
  ]
  for (const [code, end] of ends) {
    const gate = new ScriptedGate()
    const lab = await bridgeLab({}, undefined, gate)
    const invite = lab.fromPbx()
    end(lab)
    t.equal(gate.abandoned, 1)
    t.match(invite.last?.headers?.['Warning'], new RegExp(code))
    gate.decide()
    t.equal((await bare(t, lab)).cause?.code, code)
    t.same(lab.port.sent, [])
  }
})

t.test('a gate that fails ends the call with a code', async (t) => {
  const gate = new ScriptedGate()
  const lab = await bridgeLab({}, undefined, gate)
  lab.fromPbx()
  gate.fail(new Error('a fault of our own'))
  const record = await bare(t, lab)
  t.equal(record.cause?.code, 'CALL_INTERNAL')
})

t.test('answered calls are not asked about again', async (t) => {
  const gate = new ScriptedGate()
  gate.decide()
  const lab = await bridgeLab({}, undefined, gate)
  const call = await answeredByWhatsApp(lab)
  lab.inDialog('INVITE', call.pbx, { body: 'pbx-offer-2' })
  await settle()
  t.equal(gate.asked.length, 1)
  lab.inDialog('BYE', call.pbx)
  await bare(t, lab)
})
