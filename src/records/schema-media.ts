import { z } from 'zod'

const count = (what: string) => z.int().nonnegative().describe(what)
const figure = (what: string) => z.number().describe(what)

const stream = (what: string) =>
  z
    .object({
      packets: count('Packets of audio.'),
      octets: count('Octets of payload.'),
      lost: z.int().describe('Packets lost (RFC 3550); of what was sent as the remote reports it.'),
      lossRate: figure('The same as a share, 0 to 1.'),
      burstRate: figure('Share of the loss in bursts (RFC 3611).'),
      jitterMs: figure('Interarrival jitter (RFC 3550), milliseconds.'),
      reordered: count('Packets out of order.'),
      duplicates: count('Packets twice.'),
      firstPacketAfterMs: figure('From the moment media might flow to the first.').optional(),
      longestGapMs: figure('Longest time between two packets.'),
      mos: figure('Listening quality by the E-model, 1 to 4.5.').optional(),
    })
    .describe(what)

const leg = (what: string) =>
  z
    .object({
      codec: z.string().optional().describe('Codec.'),
      payloadType: z.int().optional().describe('Its RTP payload type.'),
      ptimeReceived: z.number().optional().describe('Milliseconds in the packets that came.'),
      srtp: z
        .object({
          mode: z.enum(['none', 'sdes', 'dtls']).describe('Way of the keys.'),
          suite: z.string().optional().describe('Crypto suite.'),
        })
        .describe('Protection.'),
      local: z.string().optional().describe('Our address and port.'),
      remote: z.string().optional().describe('Where packets came from.'),
      ice: z
        .object({ local: z.string(), remote: z.string(), state: z.string() })
        .optional()
        .describe('The ICE pair, with DTLS.'),
      dtls: z
        .object({ role: z.string(), cipher: z.string().optional(), state: z.string() })
        .optional()
        .describe('The DTLS handshake.'),
      received: stream('What came from there.'),
      sent: stream('What went there.'),
      rttMs: z.number().optional().describe('Round trip by RTCP.'),
      discarded: z
        .object({
          auth: count('Not authentic.'),
          replayed: count('Played again.'),
          wrongSource: count('From elsewhere.'),
          wrongPayloadType: count('Of a payload type nobody agreed on.'),
          malformed: count('Not to be read.'),
        })
        .describe('Packets dropped.'),
      silenceInserted: count('Packets of silence made for the other side.'),
      held: z.boolean().describe('Whether the direction is other than both ways.'),
    })
    .optional()
    .describe(what)

/** Figures of a call's media, as the relay has them. */
export const mediaReport = z.object({
  at: z.number().describe('When they were taken, milliseconds since 1970.'),
  legs: z
    .object({ whatsapp: leg('The leg to WhatsApp.'), pbx: leg('The leg to the PBX.') })
    .describe('Both legs.'),
  transcoding: z.boolean().describe('Whether audio was decoded and encoded again.'),
  verdicts: z
    .array(z.record(z.string(), z.unknown()))
    .describe('As `verdicts` of the call, as the relay had them.'),
  verdict: z
    .enum(['good', 'one-way', 'bad', 'none'])
    .describe('What the media came to be; `none` before anybody was heard.'),
  dtmf: z
    .array(
      z.object({
        side: z.enum(['whatsapp', 'pbx']).describe('Who pressed.'),
        digit: z.string().describe('`0`–`9`, `*`, `#`, `A`–`D`, `flash`.'),
        at: z.number().describe('Milliseconds since 1970.'),
      }),
    )
    .describe('Keypresses.'),
})
