import type { LegReport, StreamReport } from '../../media/anchor/report.ts'
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
    received: rounded(received.report(codec, rtcp.rttMs)),
    sent: rounded({
      ...rtcp.report(codec),
      firstPacketAfterMs:
        firstSent === undefined || openedAt === undefined
          ? undefined
          : Math.max(0, firstSent - openedAt),
      longestGapMs: outlet.longestGapMs,
    }),
    rttMs: rtcp.rttMs === undefined ? undefined : tenth(rtcp.rttMs),
    discarded: leg.discarded(),
    silenceInserted: outlet.silenceInserted,
    held: leg.held,
  }
}

const tenth = (value: number): number => Math.round(value * 10) / 10

/** Figures as precise as they are meant: a tenth of a millisecond, a hundredth of a percent. */
function rounded(report: StreamReport): StreamReport {
  const { firstPacketAfterMs, lossRate, burstRate, mos } = report
  const share = (value: number): number => Math.round(value * 10_000) / 10_000
  return {
    ...report,
    lossRate: share(lossRate),
    burstRate: share(burstRate),
    jitterMs: tenth(report.jitterMs),
    longestGapMs: tenth(report.longestGapMs),
    firstPacketAfterMs: firstPacketAfterMs === undefined ? undefined : tenth(firstPacketAfterMs),
    mos: mos === undefined ? undefined : Math.round(mos * 100) / 100,
  }
}
