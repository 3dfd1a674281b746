import t from 'tap'
import { answered, hangUp, nothingLeft, originate, place } from './support/asterisk-calls.ts'
import { startAsteriskLab } from './support/asterisk-lab.ts'

/** Times a call each way is set up. */
const ROUNDS = 60

t.setTimeout(120_000)

// An Asterisk of full ICE checks our offer while its answer is on the way: its handshake begins the
// moment that answer is read, and may be over before all of it is.
t.test(`${2 * ROUNDS} handshakes with a peer that checks before its answer`, async (t) => {
  const lab = await startAsteriskLab(t, [{ trunk: 'webrtc-opus', srtp: 'DTLS' }])
  for (let round = 0; round < ROUNDS; round++) {
    const incoming = place(lab, 0, '610')
    const outgoing = await originate(lab, { trunk: 'webrtc-opus', number: 0, service: '610' })
    for (const call of [incoming, outgoing.call]) {
      await answered(t, call)
      hangUp(lab, call)
      await call.until(() => false)
    }
  }
  await nothingLeft(t, lab)
})
