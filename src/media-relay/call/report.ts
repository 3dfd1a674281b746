import type { LegReport } from '../../media/anchor/report.ts'
import { SUITES } from '../../media/anchor/types.ts'
import type { Leg } from './leg.ts'

/** A leg in figures as it stands. */
export function legReport(leg: Leg): LegReport {
  const { media, outlet, received, rtcp, openedAt } = leg
  const facts = leg.wire.facts()
  const codec = media?.audio.name
  const mode = facts.dtls ? 'dtls' : facts.suite ? 'sdes' : 'none'
  const firstSent = outlet.firstAt
  return {
    codec,
    payloadType: media?.audio.payloadType,
    ptimeReceived: received.ptime,
    srtp: { mode, suite: SUITES.find((suite) => suite === facts.suite) ?? facts.suite },
    local: facts.local,
    remote: facts.remote,
    ice: facts.ice,
    dtls: facts.dtls,
    received: received.report(codec, rtcp.rttMs),
    sent: {
      ...rtcp.report(codec),
      firstPacketAfterMs:
        firstSent === undefined || openedAt === undefined
          ? undefined
          : Math.max(0, firstSent - openedAt),
      longestGapMs: outlet.longestGapMs,
    },
    rttMs: rtcp.rttMs,
    discarded: leg.discarded(),
    silenceInserted: outlet.silenceInserted,
    held: leg.held,
  }
}
