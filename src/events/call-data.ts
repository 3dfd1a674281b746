import type { CallRecord, WhatsAppReport } from '../calls/index.ts'
import type { EventData } from './schema.ts'

/** The value without its undefined fields, which JSON would drop anyway. */
export function present<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
}

/** What every event of a call says of it. */
export function callData(call: CallRecord): EventData['call.started'] {
  const { whatsapp } = call
  return present<EventData['call.started']>({
    id: call.id,
    wacid: whatsapp.wacid,
    direction: call.direction,
    state: call.state,
    consumer: call.consumer,
    business: call.business,
    trunk: call.trunk,
    displayName: whatsapp.displayName,
    userId: whatsapp.userId,
    parentUserId: whatsapp.parentUserId,
    username: whatsapp.username,
    country: whatsapp.country,
    ctaPayload: whatsapp.ctaPayload,
    deeplinkPayload: whatsapp.deeplinkPayload,
    startedAt: call.startedAt,
    ringingAt: call.ringingAt,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
  })
}

/** The end of a call, with what is known of its media by now. */
export function endedData(call: CallRecord): EventData['call.ended'] {
  const { report, cause } = call
  const mos = report && {
    ...mosOf('whatsapp', report.legs.whatsapp?.received.mos),
    ...mosOf('pbx', report.legs.pbx?.received.mos),
  }
  return {
    ...callData(call),
    talkSeconds: call.talkSeconds,
    cause: { ...cause! },
    media: present<EventData['call.ended']['media']>({
      verdict: report?.verdict,
      verdicts: call.verdicts.map(({ code, side }) => ({ code, side })),
      mos: mos && Object.keys(mos).length > 0 ? mos : undefined,
    }),
  }
}

function mosOf(side: 'whatsapp' | 'pbx', mos: number | undefined): Record<string, number> {
  return mos === undefined ? {} : { [side]: mos }
}

/** WhatsApp's account of a call. */
export function reportData(call: CallRecord, report: WhatsAppReport): EventData['call.reported'] {
  const { status, startedAt, endedAt, duration } = report
  type Report = EventData['call.reported']['report']
  return {
    ...callData(call),
    report: present<Report>({
      status,
      startedAt,
      endedAt,
      duration,
      errors: report.errors.map((error) => present<Report['errors'][number]>({ ...error })),
    }),
  }
}
