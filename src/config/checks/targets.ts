import { isIP } from 'node:net'
import { defaultPort } from '../addresses.ts'
import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

type DraftTrunk = NonNullable<NonNullable<CheckContext['draft']['trunks']>[number]>

function* trunks(context: CheckContext): Generator<[path: Path, trunk: DraftTrunk]> {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    if (trunk) yield [['trunks', index], trunk]
  }
}

const halfCertificate: Rule = (context) => {
  for (const [base, { tls }] of trunks(context)) {
    const path = [...base, 'tls']
    if (!tls || context.isWrong(path) || (tls.cert === undefined) === (tls.key === undefined)) {
      continue
    }
    const missing = tls.cert === undefined ? 'cert' : 'key'
    context.error('CONFIG_TRUNK_TLS_HALF', {
      path,
      atKey: true,
      detail: `${missing} is missing`,
      found: `no ${missing}`,
      expected: 'tls: { cert: client.pem, key: client.key }',
    })
  }
}

const uselessTls: Rule = (context) => {
  const foreign = context.draft.sip?.server?.kind === 'drachtio'
  for (const [base, trunk] of trunks(context)) {
    const path = [...base, 'tls']
    if (!trunk.tls || context.isWrong(path)) continue
    const detail = `trunk ${trunk.name ?? base[1]}`
    if (foreign) context.warn('CONFIG_TRUNK_TLS_FOREIGN', { path, atKey: true, detail })
    else if (trunk.targets?.every((target) => target && target.transport !== 'tls')) {
      context.warn('CONFIG_TRUNK_TLS_UNUSED', { path, atKey: true, detail })
    }
  }
}

const conflictingTls: Rule = (context) => {
  const seen = new Map<string, { trunk: string; tls: string }>()
  for (const [base, trunk] of trunks(context)) {
    const name = trunk.name ?? String(base[1])
    const tls = JSON.stringify(trunk.tls ?? null)
    for (const [index, target] of (trunk.targets ?? []).entries()) {
      if (target?.transport !== 'tls') continue
      const key = `${target.host.toLowerCase()}:${target.port ?? defaultPort('tls')}`
      const other = seen.get(key)
      if (!other) seen.set(key, { trunk: name, tls })
      else if (other.tls !== tls) {
        context.error('CONFIG_TRUNK_TLS_CONFLICT', {
          path: [...base, 'targets', index],
          detail: `${target.uri} of trunks ${other.trunk} and ${name}`,
          found: 'another tls section',
          expected: `the same tls section as trunk ${other.trunk} has`,
        })
      }
    }
  }
}

/**
 * A request leaves from a listener of its transport and address family. A name without `transport` is
 * left to DNS, which may choose one there is.
 */
const transports: Rule = (context) => {
  const { server, listen } = context.draft.sip ?? {}
  if (!listen || server?.kind === 'drachtio' || context.isWrong(['sip', 'listen'])) return
  const bound = [listen.whatsapp, ...(listen.pbx ?? [])].flatMap((one) => one ?? [])
  for (const [base, trunk] of trunks(context)) {
    for (const [index, target] of (trunk.targets ?? []).entries()) {
      const path = [...base, 'targets', index]
      const family = isIP(target?.host ?? '')
      const named = family === 0 && !/;transport=/i.test(target?.uri ?? '')
      if (!target || named || context.isWrong(path)) continue
      const { transport } = target
      const fits = (one: (typeof bound)[number]): boolean =>
        one.transport === transport && (family === 0 || isIP(one.host) === family)
      if (bound.some(fits)) continue
      const needed = `${transport}${family === 6 ? ' IPv6' : ''} listener`
      const host = family === 6 ? '[::]' : '0.0.0.0'
      context.warn('CONFIG_TARGET_TRANSPORT', {
        path,
        detail: target.uri,
        found: `no ${needed}`,
        expected: `a listener such as ${transport}://${host}:${transport === 'tls' ? 5063 : 5060} in sip.listen.pbx`,
      })
    }
  }
}

const pingTimes: Rule = (context) => {
  for (const [base, { options }] of trunks(context)) {
    if (options === undefined) continue
    const path = [...base, 'options']
    const interval = typeof options === 'number' ? options : options.interval
    const timeout = typeof options === 'number' ? 4000 : options.timeout
    if (interval === undefined || timeout === undefined) continue
    if ((interval === 0 || interval >= 1000) && timeout >= 500 && timeout <= 30_000) continue
    context.error('CONFIG_OPTIONS_TIMES', {
      path,
      atKey: true,
      detail: `an interval of ${interval} ms, a timeout of ${timeout} ms`,
      found: `an interval of ${interval} ms, a timeout of ${timeout} ms`,
      expected: 'options: 30s; an interval of 1s or more or 0, a timeout from 500ms to 30s',
    })
  }
}

/** Rules about reaching the targets of trunks. */
export const targetRules: readonly Rule[] = [
  halfCertificate,
  uselessTls,
  conflictingTls,
  transports,
  pingTimes,
]
