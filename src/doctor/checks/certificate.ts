import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { nearOf } from '../../config/addresses.ts'
import type { Config } from '../../config/types.ts'
import {
  type LoadedCertificate,
  loadCertificate,
} from '../../embedded-drachtio/transport/certificate.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import type { DoctorContext } from '../context.ts'
import { fromError, pass, problem, skip, worst } from '../finding.ts'
import { handshake, isOpen } from '../probe/tls.ts'
import type { Check, Finding } from '../types.ts'
import { judgeCertificate, judgeRefusal, judgeRequest } from './certificate-rules.ts'

/** The certificate as WhatsApp sees it: by a TLS connection, never by reading the file alone. */
export const certificate: Check = {
  id: 'certificate',
  area: 'Name and certificate',
  title: 'WhatsApp accepts the certificate of the listener',
  needs: ['config'],
  async run(context) {
    const { config } = context
    const { listen } = config.sip
    if (listen.whatsapp.transport !== 'tls') return [skip('the listener is not TLS: see config')]
    const file = load(config)
    if (file && 'verdict' in file) return [file]
    const at = await listenerAddress(context)
    const findings = at && (await throughListener(context, at, file))
    if (findings) return findings
    const where = at ? `nothing listens at ${formatHostPort(at.host, at.port)}` : 'no instance runs'
    if (!file) return [skip(`${where}, and sip.tls is not set`)]
    return (await throughFile(context, file)).map((finding) => ({
      ...finding,
      evidence: `${finding.evidence} (the file: ${where})`,
    }))
  },
}

/** Where our listener for WhatsApp is, from this machine; undefined when only the system knows. */
export async function listenerAddress(
  context: DoctorContext,
): Promise<{ host: string; port: number } | undefined> {
  const { host, port } = context.config.sip.listen.whatsapp
  if (port !== 0) return { host: nearOf(host), port }
  const bound = (await context.instance.facts())?.whatsapp
  return bound && { host: nearOf(bound.host), port: bound.port }
}

/** The certificate of the file, what is wrong with the file, or undefined without `sip.tls`. */
function load({ sip }: Config): LoadedCertificate | Finding | undefined {
  if (!sip.tls) return undefined
  try {
    return loadCertificate(sip.tls)
  } catch (error) {
    if (!isCausewayError(error)) throw error
    return fromError('fail', error)
  }
}

type Place = { host: string; port: number }

/** Judges what the listener shows; undefined when nothing listens. */
async function throughListener(
  context: DoctorContext,
  at: Place,
  file: LoadedCertificate | undefined,
): Promise<Finding[] | undefined> {
  const [old, modern] = await Promise.all([
    open(context, at, 'TLSv1.2'),
    open(context, at, 'TLSv1.3'),
  ])
  const seen = isOpen(old) ? old : isOpen(modern) ? modern : undefined
  for (const outcome of [old, modern]) if (isOpen(outcome)) outcome.socket.destroy()
  if (!seen) {
    if (!isOpen(old) && old.at === 'tcp' && old.code !== 'TIMEOUT') return undefined
    return isOpen(old) ? [] : [judgeRefusal(old)]
  }
  const findings: Finding[] = []
  const verdict = judgeCertificate(seen, facts(context))
  const shown = seen.certificate.fingerprint256
  if (file && file.info.fingerprint !== shown) {
    const evidence = `shown ${shown.slice(0, 23)}…, in the file ${file.info.fingerprint.slice(0, 23)}…`
    findings.push(problem('fail', 'DOCTOR_CERTIFICATE_STALE', { evidence }))
  }
  const request = judgeRequest(seen.flight)
  if (request) findings.push(request)
  if (!isOpen(old) && !/PROTOCOL/.test(old.code)) findings.push(judgeRefusal(old))
  else if (!isOpen(old)) {
    const evidence = `TLS 1.2: ${old.code}; TLS 1.3 works`
    findings.push(problem('warn', 'DOCTOR_TLS_VERSION', { evidence }))
  }
  if (verdict.verdict !== 'pass') findings.unshift(verdict)
  if (worst(findings.map((one) => one.verdict)) !== 'skipped') return findings
  const versions = isOpen(modern) ? 'TLS 1.2 and 1.3' : 'TLS 1.2'
  return [pass(`${verdict.evidence}, ${versions}, no client certificate asked for`)]
}

/** Serves the files on a port of our own and looks at that, so that both ways judge alike. */
async function throughFile(context: DoctorContext, file: LoadedCertificate): Promise<Finding[]> {
  const server = createServer(file.context)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    const { port } = server.address() as AddressInfo
    const outcome = await open(context, { host: '127.0.0.1', port }, 'TLSv1.2')
    if (!isOpen(outcome)) return [judgeRefusal(outcome)]
    outcome.socket.destroy()
    return [judgeCertificate(outcome, facts(context))]
  } finally {
    server.close()
  }
}

function open(context: DoctorContext, at: Place, version: 'TLSv1.2' | 'TLSv1.3') {
  const { system, config, trust, clock, signal } = context
  const dial = () => system.dial(at.host, at.port)
  return handshake({ dial, name: config.sip.domain, trust, version, clock, signal })
}

function facts({ config, clock }: DoctorContext) {
  return { domain: config.sip.domain, now: clock.now() }
}
