import t from 'tap'
import { bridgeLab, settle } from '../support/bridge-lab.ts'

/** What the operator reads of refused INVITEs, at the level of everyday. */
function told(lab: Awaited<ReturnType<typeof bridgeLab>>) {
  return lab.lines.filter(({ msg }) => msg === 'INVITE refused')
}

t.test('an INVITE of the PBX that becomes no call is told with its remedy', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx({ sourceAddress: '192.0.2.66' })
  t.match(told(lab), [
    {
      level: 30,
      code: 'CALL_PBX_SOURCE_REFUSED',
      sourceAddress: '192.0.2.66',
      callId: /./,
      fix: /accept\.from/,
    },
  ])
})

t.test('who keeps calling fills no log', async (t) => {
  const lab = await bridgeLab()
  for (let n = 0; n < 5; n++) lab.fromPbx({ sourceAddress: '192.0.2.66' })
  t.equal(told(lab).length, 1)
  lab.clock.advance(60_000)
  lab.fromPbx({ sourceAddress: '192.0.2.66' })
  t.match(told(lab)[1], { suppressed: 4 })
})

t.test('a limit that is reached is a warning', async (t) => {
  const lab = await bridgeLab({ limits: { calls: 1, callsPerNumber: 9, invitesPerSecond: 9 } })
  lab.fromWhatsApp()
  await settle()
  lab.fromWhatsApp()
  await settle()
  t.match(told(lab), [{ level: 40, code: 'CALL_LIMIT', fix: /limits\.calls/ }])
})

t.test(
  'a call that failed is a warning with its remedy, one that was declined is not',
  async (t) => {
    const lab = await bridgeLab()
    const ends = () => lab.lines.filter(({ msg }) => msg === 'call ended')
    lab.fromWhatsApp()
    await settle()
    lab.port.last!.respond(603, 'Decline')
    await settle()
    lab.fromWhatsApp()
    await settle()
    lab.port.last!.respond(500, 'Server Internal Error')
    await settle()
    const [declined, failed] = ends()
    t.match(declined, { level: 30, result: 'declined' })
    t.equal(declined!['fix'], undefined)
    t.match(failed, { level: 40, result: 'failed', fix: /./ })
  },
)
