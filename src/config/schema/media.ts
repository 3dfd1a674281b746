import { z } from 'zod'
import { parseIp, parseUdpAddress } from '../addresses.ts'
import { integer, oneOf, path, text } from '../leaf.ts'
import { parsePortRange } from '../units.ts'

const address = () => text({ expected: 'an IP address such as 10.0.0.5' }, parseIp)

/** `media:` */
export const mediaSchema = z.strictObject({
  relay: oneOf(['embedded', 'rtpengine', 'none'])
    .prefault('embedded')
    .describe(
      'Who carries the media. `embedded`: Causeway itself, in threads of its own. `rtpengine`: one or several rtpengine instances. `none`: the SDP is passed through and both sides speak SDES-SRTP to each other.',
    ),
  rtpengine: z
    .array(text({ expected: 'an ng address such as udp://127.0.0.1:22222' }, parseUdpAddress))
    .prefault([])
    .meta({ examples: [['udp://127.0.0.1:22222']] })
    .describe('Control addresses when `relay: rtpengine`; several share the load.'),
  listen: address()
    .optional()
    .meta({ examples: ['10.0.0.5'] })
    .describe(
      'Address of the RTP sockets. Default: the host of the first address in `sip.listen.pbx`.',
    ),
  external_address: address()
    .optional()
    .meta({ examples: ['203.0.113.10'] })
    .describe(
      'Public address of the RTP sockets when behind NAT. Default: `sip.external_address`, else the listen address.',
    ),
  ports: text({ expected: 'a port range such as 20000-29999' }, parsePortRange)
    .prefault('20000-29999')
    .describe(
      'UDP ports of the RTP sockets, inclusive; the first is even. A call needs up to four.',
    ),
  workers: integer(1, 64)
    .prefault(1)
    .describe('Threads of the embedded relay; one carries several hundred calls.'),
  sockets: oneOf(['auto', 'node'])
    .prefault('auto')
    .describe(
      'How the embedded relay opens its sockets. `auto`: by system calls of its own on Linux (x64, arm64), else by Node. `node`: by Node, at about twice the processor time.',
    ),
  transcoding: integer(0, 10_000)
    .prefault(60)
    .describe(
      'Most calls the embedded relay converts between Opus and G.711 at a time; one takes about half a percent of a core.',
    ),
  hold_music: path()
    .optional()
    .meta({ examples: ['sounds/hold.wav'] })
    .describe(
      'WAV or Ogg Opus file WhatsApp hears while the PBX holds a call without sending music. Default: silence.',
    ),
})
