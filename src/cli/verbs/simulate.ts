import { isIP } from 'node:net'
import { stringify } from 'yaml'
import { CausewayError } from '../../shared/errors/index.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.ts'
import type { Io } from '../io.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

const OPTIONS = {
  host: { type: 'string', default: '127.0.0.1' },
  'graph-port': { type: 'string', default: '18080' },
  'sip-port': { type: 'string', default: '15061' },
  'control-port': { type: 'string', default: '18081' },
  number: { type: 'string', multiple: true },
  domain: { type: 'string', default: 'sip.example.com' },
  business: { type: 'string', default: '127.0.0.1' },
  folder: { type: 'string' },
  webhooks: { type: 'string' },
} as const

/** One simulated number: its ID follows from its digits unless given. */
interface NumberOption {
  phoneNumber: string
  phoneNumberId: string
  accessToken: string
}

/** `causeway simulate`: the WhatsApp side, for labs and CI. */
export const verb: Verb = {
  name: 'simulate',
  summary: 'run the WhatsApp side on this machine, for labs and CI',
  usage: `Usage: causeway simulate [options]

Runs what Causeway meets at WhatsApp: the Graph API around calling, wa.meta.vc
over TLS with media, and an HTTP API that plays the consumers. Prints where
everything is and a configuration that points Causeway at it, then runs until it
is interrupted. Nothing here reaches the real WhatsApp.

Options:
      --host ADDRESS         address of all listeners (default: 127.0.0.1)
      --graph-port PORT      Graph API (default: 18080; 0 for any free port)
      --sip-port PORT        SIP over TLS (default: 15061)
      --control-port PORT    control API (default: 18081)
      --number NUMBER[=ID]   a business number, and its phone number ID; may be
                             repeated (default: +441632960123=106540352242922)
      --domain NAME          host name of your SIP server; a certificate is
                             issued for it (default: sip.example.com)
      --business HOST[:PORT] where that name leads (default: 127.0.0.1, port
                             from the settings)
      --folder PATH          where ca.pem and the certificate go (default: a
                             temporary folder)
      --webhooks URL         where call and permission webhooks are sent
      --json                 one JSON object instead of text

Exit codes: 0 stopped, 1 a listener could not be opened.

Examples:
  causeway simulate
  curl -X PUT localhost:18081/consumers/+33199001234 \\
    -H 'content-type: application/json' \\
    -d '{"permission":"permanent"}'
  curl -X POST localhost:18081/calls -H 'content-type: application/json' \\
    -d '{"from":"+33199001234","to":"+441632960123"}'
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, OPTIONS)
    const numbers = (values.number ?? ['+441632960123=106540352242922']).map(readNumber)
    const simulator = await start({
      numbers: numbers.map((number) => ({ ...number, appId: '634974688087057' })),
      host: values.host,
      ports: {
        graph: readPort('graph-port', values['graph-port']),
        sip: readPort('sip-port', values['sip-port']),
        control: readPort('control-port', values['control-port']),
      },
      dialTo: { [values.domain]: readAddress(values.business) },
      ...(values.folder ? { folder: values.folder } : {}),
      ...(values.webhooks ? { webhooks: { url: values.webhooks } } : {}),
    })
    const certificate = simulator.issueCertificate([values.domain])
    const yaml = configurationFor(simulator, { domain: values.domain, certificate, numbers })
    print(io, values.json, simulator, certificate, yaml)
    await aborted(io.signal)
    await simulator.close()
    return EXIT.done
  },
}

async function start(options: SimulatorOptions): Promise<Simulator> {
  try {
    return await startSimulator(options)
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException
    if (syscall === 'mkdir' || syscall === 'open') {
      throw new CausewayError('APP_SIMULATOR_FOLDER', { detail: message, cause: error })
    }
    if (syscall !== 'listen') throw error
    throw new CausewayError('APP_SIMULATOR_LISTEN', { detail: message, cause: error })
  }
}

function print(
  io: Io,
  json: boolean,
  simulator: Simulator,
  certificate: { cert: string; key: string },
  configuration: string,
): void {
  const { graphUrl, sipAddress, controlUrl, caFile } = simulator
  if (json) {
    const result = {
      graph: graphUrl,
      sip: sipAddress,
      control: controlUrl,
      ca: caFile,
      certificate,
      configuration,
    }
    io.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return
  }
  io.stdout.write(`Graph API    ${graphUrl}
SIP (TLS)    ${sipAddress.host}:${sipAddress.port} as wa.meta.vc
Control API  ${controlUrl}
CA           ${caFile}
Certificate  ${certificate.cert}

# causeway.yaml
${configuration}`)
}

/** A configuration that points Causeway at the simulator; the trunk is for the reader to fill in. */
function configurationFor(
  simulator: Simulator,
  options: {
    domain: string
    certificate: { cert: string; key: string }
    numbers: readonly NumberOption[]
  },
): string {
  const { domain, certificate, numbers } = options
  const names = numbers.map((_, i) => (i === 0 ? 'support' : `number-${i + 1}`))
  return stringify({
    sip: {
      domain,
      listen: { whatsapp: 'tls://127.0.0.1:5061', pbx: ['udp://127.0.0.1:5060'] },
      tls: certificate,
    },
    media: { relay: 'embedded', listen: '127.0.0.1' },
    whatsapp: {
      graph_url: simulator.graphUrl,
      sip_proxy: simulator.sipProxy,
      ca: simulator.caFile,
      sources: 'any',
    },
    numbers: numbers.map(({ phoneNumber, phoneNumberId, accessToken }, i) => ({
      name: names[i],
      phone_number: phoneNumber,
      phone_number_id: phoneNumberId,
      access_token: accessToken,
      manage: 'apply',
      calling: {
        status: 'ENABLED',
        srtp_key_exchange_protocol: 'SDES',
        sip: { status: 'ENABLED' },
      },
      inbound: { trunk: 'main' },
    })),
    trunks: [
      {
        name: 'main',
        targets: ['sip:127.0.0.1:5070;transport=udp'],
        accept: { from: ['127.0.0.1/32'] },
        media: { srtp: 'none', codecs: ['opus', 'PCMA'] },
        outbound: { number: names[0] },
      },
    ],
  })
}

function readNumber(text: string): NumberOption {
  const found = /^(\+\d{5,15})(?:=(\d+))?$/.exec(text)
  if (!found) throw new UsageError(`--number ${text}: expected +441632960123 or +441632960123=ID`)
  const phoneNumber = found[1]!
  const phoneNumberId = found[2] ?? `10${phoneNumber.slice(1)}`
  return { phoneNumber, phoneNumberId, accessToken: `simulated-${phoneNumberId}` }
}

function readPort(option: string, text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65535) {
    throw new UsageError(`--${option} ${text}: expected a port from 0 to 65535`)
  }
  return port
}

function readAddress(text: string): { host: string; port?: number } {
  if (isIP(text)) return { host: text }
  const found = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text)
  if (!found) throw new UsageError(`--business ${text}: expected HOST or HOST:PORT`)
  const host = found[1] ?? found[2]!
  return found[3] ? { host, port: readPort('business', found[3]) } : { host }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
