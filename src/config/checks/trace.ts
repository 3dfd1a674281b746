import type { Rule } from './context.ts'

/** A drachtio-server elsewhere carries the messages: Causeway does not see them. */
const needsEmbedded: Rule = (context) => {
  const { trace, sip } = context.draft
  if (sip?.server?.kind !== 'drachtio') return
  for (const key of ['messages', 'hep'] as const) {
    const value = trace?.[key]
    if (value === undefined || value === 'off') continue
    context.warn('CONFIG_TRACE_BLIND', {
      path: ['trace', key],
      atKey: true,
      detail: `trace.${key} sees nothing: sip.server is a drachtio-server`,
    })
  }
}

/** Numbers the logs mask are not told to a collector either. */
const numbersMasked: Rule = (context) => {
  const { telemetry, log } = context.draft
  if (!telemetry?.numbers || log?.numbers !== 'masked') return
  context.error('CONFIG_TRACE_NUMBERS', {
    path: ['telemetry', 'numbers'],
    detail: 'telemetry.numbers asks for phone numbers, log.numbers masks them',
    found: 'true, with log.numbers: masked',
    expected: 'telemetry.numbers: false, or log.numbers: full',
  })
}

export const traceRules: readonly Rule[] = [needsEmbedded, numbersMasked]
