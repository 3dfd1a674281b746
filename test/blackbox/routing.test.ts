import t from 'tap'
import { userCall } from './support/calls.ts'
import { ackFailure } from './support/dialog.ts'
import { BUSINESS, type Lab, withLab } from './support/lab.ts'
import { response, type Sip } from './support/message.ts'

/** The PBX declines what came; WhatsApp is told. Gives the INVITE of the PBX. */
async function declined(lab: Lab, call: Awaited<ReturnType<typeof userCall>>): Promise<Sip> {
  const { callId } = call.meta
  const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
  arrived.reply(response(arrived.sip, '603 Decline', { tag: 'p' }))
  const { sip } = await lab.wa.inbox.take({ status: 603, callId })
  call.line.send(ackFailure(call.invite, sip))
  return arrived.sip
}

t.test('routes and presentation, from the file to the wire', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.numbers[0].inbound = {
          trunk: 'main',
          routes: [
            { name: 'barred', match: { country: 'DE' }, refuse: 486 },
            {
              name: 'orders',
              match: { params: { tgrp: 'sales' }, payload: ['order-*'] },
              trunk: 'orders',
              to: 'queue-{business:digits}',
            },
          ],
        }
        config.trunks[0].presentation = {
          numbers: 'national',
          country_code: '44',
          identity: 'rpid',
        }
        config.trunks.push({
          name: 'orders',
          targets: [pbx.tcpUri],
          accept: { from: ['192.0.2.0/24'] },
          media: { srtp: 'sdes', codecs: ['opus'] },
          presentation: { from: 'anonymous', display: '{profile} <{route}>' },
        })
      },
    },
    async (lab) => {
      const order = await userCall(lab, {
        to: `${BUSINESS};tgrp=Sales`,
        fromHeader: '"Zoé" <sip:+33199001234@wa.meta.vc>',
        headers: [['x-wa-meta-cta-payload', 'order-17']],
      })
      const queue = await declined(lab, order)
      t.match(queue.start, /^INVITE sip:queue-441632960123@127\.0\.0\.1:\d+;transport=tcp /)
      t.match(queue.get('From'), /^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/)
      t.equal(queue.get('Privacy'), 'id')
      t.match(queue.get('P-Asserted-Identity'), /^"Zoé <orders>" <sip:\+33199001234@127/)
      t.equal(queue.get('X-WhatsApp-Cta-Payload'), 'order-17')

      const plain = await userCall(lab)
      const national = await declined(lab, plain)
      t.match(national.start, /^INVITE sip:01632960123@127\.0\.0\.1:\d+;transport=udp /)
      t.match(national.get('From'), /<sip:0033199001234@127/)
      t.match(
        national.get('Remote-Party-ID'),
        /^.*<sip:0033199001234@sip\.example\.com>;party=calling;/,
      )
      t.equal(national.get('P-Asserted-Identity'), '')

      const barred = await userCall(lab, { headers: [['x-wa-meta-country-code', 'DE']] })
      const { callId } = barred.meta
      const { sip } = await lab.wa.inbox.take({ status: 486, callId })
      barred.line.send(ackFailure(barred.invite, sip))

      const { calls } = (await (await lab.http('/api/v1/calls?state=ended')).json()) as {
        calls: { route: string; trunk: string; cause: { code: string } }[]
      }
      t.same(
        calls.map(({ route, trunk, cause }) => [route, trunk, cause.code]),
        [
          ['barred', 'main', 'CALL_ROUTE_REFUSED'],
          ['inbound', 'main', 'CALL_DECLINED'],
          ['orders', 'orders', 'CALL_DECLINED'],
        ],
      )
    },
  ),
)
