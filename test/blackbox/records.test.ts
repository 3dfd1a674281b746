import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { until } from '../support/until.ts'
import { businessTalk, metaBye, pbxBye, userCall, userTalk } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { ackFailure } from './support/dialog.ts'
import { type Lab, withLab } from './support/lab.ts'
import { response } from './support/message.ts'

/** Takes records, with the status it is told. */
class Target {
  status = 200
  readonly bodies: CallRecord[] = []
  #waiting: (() => void)[] = []
  readonly #server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    this.bodies.push(JSON.parse(text) as CallRecord)
    response.statusCode = this.status
    response.end()
    for (const look of this.#waiting.splice(0)) look()
  })

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/records`
  }

  /** Resolves when so many have come. */
  async got(count: number): Promise<CallRecord[]> {
    while (this.bodies.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    return this.bodies
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const FILE = ['data', 'calls.db']

/** The calls in the file, by the Call-ID on the PBX's side. */
function kept(lab: Lab): Map<string, CallRecord> {
  const database = new DatabaseSync(join(lab.folder, ...FILE), { readOnly: true })
  const rows = database.prepare('SELECT summary FROM record').all()
  database.close()
  const records = rows.map((row) => JSON.parse(String(row['summary'])) as CallRecord)
  return new Map(records.map((record) => [record.callIds.pbx!, record]))
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
    // A call is in the file some milliseconds after its end.
    await until('the last call in the file', () => kept(lab).has(last))
    // Two more hang up as the process dies: they may be in the file, or not.
    for (const talk of open) talk.sendWa(talk.wa.request('BYE'))
    lab.up.signal('SIGKILL')
    await lab.up.exited

    const found = kept(lab)
    const dying = new Set(open.map(({ pbx }) => pbx.state.callId))
    const sure = [...found.keys()].filter((callId) => !dying.has(callId))
    t.same(sure.sort(), [...ended].sort(), 'all that ended, and no other')
    const database = new DatabaseSync(join(lab.folder, ...FILE))
    t.same({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
    database.close()

    lab.up = new Causeway(['up', '-c', lab.file, '--json'])
    lab.at = await lab.up.ready()
    const { total, calls } = (await (
      await lab.http('/api/v1/calls?state=ended&result=completed')
    ).json()) as { total: number; calls: CallRecord[] }
    t.ok(total >= 8)
    t.ok(calls.every(({ cause }) => cause?.code === 'NORMAL'))
    const one = calls.find(({ callIds }) => callIds.pbx === ended[0])
    t.match(one, { version: 1, target: lab.pbx.udpUri, endedBy: 'caller', state: 'ended' })
    const whole = (await (await lab.http(`/api/v1/calls/${one!.id}`)).json()) as CallRecord
    t.match(whole.ladder.at(-1), { what: /BYE|OK/ }, 'with its ladder, across the restart')
  }),
)

t.test(
  'records are pushed, and what was not taken before a restart is pushed after it',
  async (t) => {
    const target = new Target()
    await target.listen()
    const edit = (config: { records: object }): void => {
      const push = { url: target.url, secret: 'pushNobodyMaySee' }
      config.records = { path: 'data', push }
    }
    await withLab(t, { edit }, async (lab) => {
      target.status = 503
      const first = await userTalk(lab)
      await metaBye(lab, first)
      await target.got(1)
      await lab.up.stop()
      target.status = 200
      lab.up = new Causeway(['up', '-c', lab.file, '--json'])
      lab.at = await lab.up.ready()
      const last = (await target.got(target.bodies.length + 1)).at(-1)!
      t.match(last, { version: 1, callIds: { pbx: first.pbx.state.callId }, ladder: Array })
      const metrics = await (await fetch(`${lab.at.http}/metrics`)).text()
      t.match(metrics, /^causeway_records_pushed_total\{result="delivered"\} 1$/m)
      t.match(metrics, /^causeway_records_calls 1$/m)
      t.notMatch(lab.up.output, 'pushNobodyMaySee')
    })
    await target.close()
  },
)
