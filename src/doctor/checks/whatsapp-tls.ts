import { verifyDomain } from '../../embedded-drachtio/transport/tls-client.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import { proxyOf } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import { handshake, isOpen } from '../probe/tls.ts'
import type { Check } from '../types.ts'

/** The way out to WhatsApp: our INVITEs, and our BYEs of calls from there. */
export const whatsappTls: Check = {
  id: 'whatsapp-tls',
  area: 'WhatsApp SIP',
  title: 'WhatsApp’s SIP server is reached, and its certificate verifies',
  needs: ['config'],
  async run(context) {
    const { config, system, trust, clock, signal } = context
    const { host, port, transport } = proxyOf(config)
    if (transport !== 'tls') return [skip(`sip_proxy is not TLS: ${config.whatsapp.sipProxy}`)]
    const { sipDomain: name } = config.whatsapp
    const at = { host, port: port ?? 5061 }
    const place = formatHostPort(at.host, at.port)
    const dial = () => system.dial(at.host, at.port)
    const outcome = await handshake({ dial, name, trust, clock, signal })
    if (!isOpen(outcome)) {
      const { code, message } = outcome
      const evidence = `${place}: ${code}${code === 'TIMEOUT' ? '' : `, ${message.slice(0, 120)}`}`
      const alert120 = /NO_APPLICATION_PROTOCOL/.test(code)
      return [
        problem('fail', alert120 ? 'DOCTOR_WHATSAPP_ALPN' : 'DOCTOR_WHATSAPP_UNREACHABLE', {
          evidence,
        }),
      ]
    }
    const { chainError, peer, certificate, protocol } = outcome
    outcome.socket.destroy()
    const wrong = chainError ?? (verifyDomain(name, peer) ? 'it does not cover the name' : '')
    if (wrong) {
      const evidence = `${place} shows ${certificate.subject.replaceAll('\n', ', ')} of ${certificate.issuer.replaceAll('\n', ', ')} for ${name}: ${wrong}`
      return [problem('fail', 'DOCTOR_WHATSAPP_CERTIFICATE', { evidence })]
    }
    return [pass(`${name} at ${place}, ${protocol}, without ALPN`)]
  },
}
