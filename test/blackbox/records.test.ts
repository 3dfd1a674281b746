import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { businessTalk, metaBye, pbxBye, userCall, userTalk } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { ackFailure } from './support/dialog.ts'
import { type Lab, withLab } from './support/lab.ts'
import { response } from './support/message.ts'

const FILE = ['data', 'calls.db']

/** The calls in the file, by the Call-ID on the PBX's side. */
function kept(lab: Lab): Map<string, CallRecord> {
  const database = new DatabaseSync(join(lab.folder, ...FILE), { readOnly: true })
  const rows = database.prepare('SELECT summary FROM record').all()
  database.close()
  const records = rows.map((row) => JSON.parse(String(row['summary'])) as CallRecord)
  return new Map(records.map((record) => [record.callIds.pbx!, record]))
}

/** Asks again until it is so: a call is in the file some milliseconds after its end. */
async function until(what: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (what()) return true
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return what()
}

/** The PBX refuses a call of a WhatsApp user. */
async function refusedCall(lab: Lab): Promise<string> {
  const call = await userCall(lab)
  const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
  arrived.reply(response(arrived.sip, '486 Busy Here', { tag: 'busy' }))
  const { sip } = await lab.wa.inbox.take({ status: 486, callId: call.meta.callId })
  call.line.send(ackFailure(call.invite, sip))
  return arrived.sip.callId
}

t.test('SIGKILL during traffic: every call that had ended is in the records', (t) =>
  withLab(t, {}, async (lab) => {
    const ended: string[] = []
    // Some of every kind, one after the other, with calls going on beside them.
    const open = [await userTalk(lab), await businessTalk(lab)]
    for (let round = 0; round < 4; round++) {
      const user = await userTalk(lab)
      const business = await businessTalk(lab)
      await metaBye(lab, user)
      await pbxBye(lab, business)
      ended.push(user.pbx.state.callId, business.pbx.state.callId, await refusedCall(lab))
    }
    // The last BYE is answered. What was handed over before the kill is written in a matter of
    // milliseconds: the file itself is the witness, the process is asked nothing.
    const last = ended.at(-1)!
    t.ok(await until(() => kept(lab).has(last)), 'the last call is in the file')
    lab.up.signal('SIGKILL')
    await lab.up.exited

    const found = kept(lab)
    t.same([...found.keys()].sort(), [...ended].sort(), 'all that ended, and no other')
    const database = new DatabaseSync(join(lab.folder, ...FILE))
    t.same({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
    database.close()

    lab.up = new Causeway(['up', '-c', lab.file, '--json'])
    lab.at = await lab.up.ready()
    const { total, calls } = (await (
      await lab.http('/api/v1/calls?state=ended&result=completed')
    ).json()) as { total: number; calls: CallRecord[] }
    t.equal(total, 8)
    t.ok(calls.every(({ cause }) => cause?.code === 'NORMAL'))
    const [one] = calls
    const whole = (await (await lab.http(`/api/v1/calls/${one!.id}`)).json()) as CallRecord
    t.match(whole.ladder.at(-1), { what: /BYE|OK/ }, 'with its ladder, across the restart')
    for (const { wa, pbx } of open) {
      t.notOk(found.has(pbx.state.callId) || found.has(wa.state.callId), 'what went on is not')
    }
  }),
)
