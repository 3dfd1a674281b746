import { formatHostPort } from '../../shared/host-port.ts'
import { type HostPort, isHostName, isLoopback, isWildcard } from '../addresses.ts'
import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

interface Bound extends HostPort {
  protocol: 'udp' | 'tcp'
  path: Path
}

const certificate: Rule = (context) => {
  const { sip } = context.draft
  const path = ['sip', 'tls']
  if (sip?.tls || context.isWrong(path)) return
  const secured = listeners(context).find(({ tls }) => tls)
  if (!secured) return
  context.error('CONFIG_TLS_MISSING', {
    path: secured.path,
    detail: `${secured.name} is a TLS listener`,
    found: 'no sip.tls',
    expected: 'sip: { tls: { cert: fullchain.pem, key: privkey.pem } }',
  })
}

const distinctListeners: Rule = (context) => {
  const bound: Bound[] = listeners(context)
  const http = context.draft.http?.listen
  if (http) bound.push({ ...http, protocol: 'tcp', path: ['http', 'listen'] })
  for (const [index, one] of bound.entries()) {
    const other = bound.slice(0, index).find((earlier) => collide(earlier, one))
    if (!other) continue
    const own = `${one.protocol} ${formatHostPort(one.host, one.port)}`
    context.error('CONFIG_LISTENER_TWICE', {
      path: one.path,
      detail: `${own} collides with ${other.protocol} ${formatHostPort(other.host, other.port)}`,
      found: own,
      expected: 'an address and port of its own',
    })
  }
}

const domain: Rule = (context) => {
  const name = context.draft.sip?.domain
  if (name === undefined || isHostName(name)) return
  context.warn('CONFIG_DOMAIN_IS_ADDRESS', {
    path: ['sip', 'domain'],
    detail: 'WhatsApp needs a fully qualified domain name',
    expected: 'a host name such as sip.example.com',
  })
}

const whatsappTransport: Rule = (context) => {
  const listen = context.draft.sip?.listen?.whatsapp
  if (!listen || listen.transport === 'tls') return
  context.warn('CONFIG_WHATSAPP_NOT_TLS', {
    path: ['sip', 'listen', 'whatsapp'],
    detail: `it listens on ${listen.transport}`,
    expected: 'a listener such as tls://0.0.0.0:5061',
  })
}

const openApi: Rule = (context) => {
  const http = context.draft.http
  if (!http?.listen || isLoopback(http.listen.host) || http.token) return
  if (context.isWrong(['http', 'token']) || context.isWrong(['http', 'token_file'])) return
  context.warn('CONFIG_API_LOOPBACK_ONLY', {
    path: ['http', 'listen'],
    detail: `it listens on ${formatHostPort(http.listen.host, http.listen.port)}`,
  })
}

const guarded: Rule = (context) => {
  const { sources, challenge } = context.draft.whatsapp ?? {}
  if (sources !== 'any' || challenge !== false) return
  context.warn('CONFIG_UNGUARDED', {
    path: ['whatsapp', 'sources'],
    detail: 'any address may send INVITEs, and none is challenged',
  })
}

/** Rules of `sip:`, `http:` and of who is taken for WhatsApp. */
export const sipRules: readonly Rule[] = [
  certificate,
  distinctListeners,
  domain,
  whatsappTransport,
  openApi,
  guarded,
]

function listeners({ draft }: CheckContext): (Bound & { name: string; tls: boolean })[] {
  const { whatsapp, pbx } = draft.sip?.listen ?? {}
  const named = [{ listen: whatsapp, path: ['sip', 'listen', 'whatsapp'] as Path }]
  for (const [index, listen] of (pbx ?? []).entries()) {
    named.push({ listen, path: ['sip', 'listen', 'pbx', index] })
  }
  return named.flatMap(({ listen, path }) => {
    if (!listen) return []
    const { transport, host, port } = listen
    const tls = transport === 'tls'
    const name = `${transport}://${formatHostPort(host, port)}`
    return [{ host, port, path, name, tls, protocol: transport === 'udp' ? 'udp' : 'tcp' }]
  })
}

function collide(a: Bound, b: Bound): boolean {
  if (a.protocol !== b.protocol || a.port !== b.port || a.port === 0) return false
  if (a.host === b.host) return true
  const family = (host: string): boolean => host.includes(':')
  if (family(a.host) !== family(b.host)) return false
  return isWildcard(a.host) || isWildcard(b.host)
}
