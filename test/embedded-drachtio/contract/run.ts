/**
 * Runs the contract against a server that is already up:
 * `node test/embedded-drachtio/contract/run.ts --server host:port --secret S --sip host:port`.
 * `--all` adds what the embedded server does better than drachtio-server 0.9.10.
 */
import { parseArgs } from 'node:util'
import t from 'tap'
import { beyondSuite } from './beyond.ts'
import { contractSuite } from './suite.ts'

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    secret: { type: 'string', default: 'cymru' },
    sip: { type: 'string' },
    all: { type: 'boolean', default: false },
  },
})

function address(text: string | undefined, option: string): { host: string; port: number } {
  const [host, port] = (text ?? '').split(':')
  if (!host || !Number(port)) throw new Error(`--${option} host:port is needed`)
  return { host, port: Number(port) }
}

const app = address(values.server, 'server')
const sip = address(values.sip, 'sip')
const server = { ...app, secret: values.secret, sipHost: sip.host, sipPort: sip.port }

t.setTimeout(600_000)
await contractSuite(t, server)
if (values.all) await beyondSuite(t, server)
