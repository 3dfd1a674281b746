import { Instance } from '../../app/index.ts'
import { parseDuration } from '../../config/index.ts'
import type { Config, ListenAddress } from '../../config/types.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import { createLogger } from '../../shared/log.ts'
import type { Io } from '../io.ts'
import { CONFIG_OPTION, CONFIG_USAGE, load, loadAndWarn } from '../load.ts'
import { refusalLine, serviceOf } from '../service/instance.ts'
import type { ServiceManager } from '../service/manager.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'
import { version } from '../version.ts'

const USAGE = `Usage: causeway up [-c FILE] [--drain DURATION] [--json]

Runs the trunk: opens the SIP listeners, connects the bridge, switches the
numbers to SIP as configured and serves HTTP. Logs are JSON lines on standard
output.

  SIGTERM, SIGINT   drain: new INVITEs get 503 with Retry-After, calls may
                    finish, then exit; a second one ends it at once
  SIGHUP            reload the configuration; a bad file changes nothing

Started by systemd with Type=notify it says when calls can be taken, of reloads
and of its calls, and feeds the watchdog while its threads answer.

Options:
${CONFIG_USAGE}
      --drain DURATION  how long calls may go on after SIGTERM (default: 60s),
                      then BYE both legs
      --json          print the addresses as JSON when ready

Examples:
  causeway up -c causeway.yaml
  causeway up -c causeway.yaml --drain 5m
`

async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseVerbArgs(args, {
    ...CONFIG_OPTION,
    drain: { type: 'string', default: '60s' },
  })
  const drain = parseDuration(values.drain)
  if (typeof drain !== 'number')
    throw new UsageError(`--drain ${values.drain}: expected 30s, 5m or 1h`)

  const config = loadAndWarn(values.config, io, { expired: 'warning' })
  // drachtio-srf looks into the environment for every header line of every message, and each look
  // is a call into the system: a plain copy costs nothing.
  process.env = { ...process.env }
  const log = createLogger(config.log)
  let service: ServiceManager | undefined
  const instance = await Instance.start({
    config,
    version: version(),
    log,
    load: () => load(values.config, io),
    onReload: (event, result) => {
      if (event === 'begun') service?.reloading()
      else service?.reloaded(result && !result.ok ? refusalLine(result.errors) : undefined)
    },
  })
  const hangup = (): void => void instance.reload()
  process.on('SIGHUP', hangup)
  service = serviceOf(instance, io, log)
  try {
    await service.start()
    announce(instance, config, io, values.json)
    void report(instance, config, io)
    await aborted(io.signal)
    log.info({ calls: instance.calls.size, drain: values.drain }, 'draining')
    const drained = instance.drain(drain)
    service.stopping()
    await drained
  } finally {
    process.off('SIGHUP', hangup)
    await instance.stop()
    await service.close()
  }
  log.info('stopped')
  return EXIT.done
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    // The listener alone does not keep the process alive; the SIP server's sockets do.
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const url = ({ transport, host, port }: ListenAddress): string =>
  `${transport}://${formatHostPort(host, port)}`

/** Where to find what runs; on stderr, because standard output carries the log. */
function announce(instance: Instance, config: Config, io: Io, json: boolean): void {
  const { http, sip } = instance.addresses
  const httpUrl = `http://${formatHostPort(http.host, http.port)}`
  if (json) {
    const whatsapp = url(sip.whatsapp)
    const addresses = { event: 'ready', http: httpUrl, whatsapp, pbx: sip.pbx.map(url) }
    io.stderr.write(`${JSON.stringify(addresses)}\n`)
    return
  }
  const paint = paintFor(io.stderr, io.env)
  io.stderr.write(`${paint('bold', 'causeway')} ${version()} is up\n`)
  io.stderr.write(`  WhatsApp  ${url(sip.whatsapp)}  as ${config.sip.domain}\n`)
  for (const listener of sip.pbx) io.stderr.write(`  PBX       ${url(listener)}\n`)
  const webhooks = config.whatsapp.webhooks ? ` ${config.whatsapp.webhooks.path}` : ''
  io.stderr.write(`  HTTP      ${httpUrl}  (/readyz /healthz /metrics /api/v1${webhooks})\n`)
}

/** One line for each number once its settings were looked at. */
async function report(instance: Instance, config: Config, io: Io): Promise<void> {
  await instance.settings.settled
  const paint = paintFor(io.stderr, io.env)
  for (const number of config.numbers) {
    const state = instance.settings.state(number.name)
    const error = state?.error
    const ready = instance.settings.knows(number.name)
    const said = error
      ? `${paint('red', error.message)}\n            fix: ${error.fix}`
      : ready
        ? 'ready'
        : 'no SIP password yet'
    io.stderr.write(`  number    ${number.name} ${number.phoneNumber}  ${said}\n`)
  }
}

/** `causeway up`. */
export const verb: Verb = {
  name: 'up',
  summary: 'run the trunk between WhatsApp and the PBX',
  usage: USAGE,
  run,
}
