import { z } from 'zod'
import { parseIp, parseUdpAddress } from '../addresses.ts'
import { oneOf, text } from '../leaf.ts'
import { parsePortRange } from '../units.ts'

const address = () => text({ expected: 'an IP address such as 10.0.0.5' }, parseIp)

/** `media:` */
export const mediaSchema = z.strictObject({
  relay: oneOf(['embedded', 'rtpengine', 'none'])
    .prefault('embedded')
    .describe(
      'Who carries the media. `none`: the SDP is passed through and both sides speak SDES-SRTP to each other. This version has `none` only; the others act as `none` and draw a warning.',
    ),
  rtpengine: z
    .array(text({ expected: 'an ng address such as udp://127.0.0.1:22222' }, parseUdpAddress))
    .prefault([])
    .meta({ examples: [['udp://127.0.0.1:22222']] })
    .describe('Control addresses when `relay: rtpengine`; several share the load.'),
  listen: address()
    .optional()
    .meta({ examples: ['10.0.0.5'] })
    .describe('Address of the RTP sockets.'),
  external_address: address()
    .optional()
    .meta({ examples: ['203.0.113.10'] })
    .describe('Public address of the RTP sockets when behind NAT. Default: the listen address.'),
  ports: text({ expected: 'a port range such as 20000-29999' }, parsePortRange)
    .prefault('20000-29999')
    .describe('UDP ports of the RTP sockets, inclusive; the first is even.'),
})
