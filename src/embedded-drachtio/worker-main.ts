/** Entry of the server's worker thread. */

import { parentPort, workerData } from 'node:worker_threads'
import { isCausewayError } from '../shared/errors/index.ts'
import { createLogger, type Logger } from '../shared/log.ts'
import { Secret } from '../shared/secret.ts'
import { ThreadLoad } from '../shared/thread-load.ts'
import { createSipServer, type SipServer } from './server.ts'
import type { CertificateEvent } from './transport/index.ts'
import type {
  CertificateReport,
  ErrorReport,
  WorkerInput,
  WorkerReport,
  WorkerRequest,
} from './worker-messages.ts'

function report(message: WorkerReport): void {
  parentPort?.postMessage(message)
}

function certificateReport(event: CertificateEvent): CertificateReport {
  return {
    listener: event.listener,
    error: event.kind === 'failed' ? event.error.message : undefined,
  }
}

function errorReport(error: unknown): ErrorReport {
  const known = isCausewayError(error) ? error : undefined
  return {
    code: known?.code,
    detail: known?.detail,
    place: known?.place,
    message: error instanceof Error ? error.message : String(error),
  }
}

async function start(input: WorkerInput, log: Logger): Promise<SipServer> {
  const { certificate } = input.tlsClient
  return createSipServer({
    ...input.options,
    admin: { ...input.admin, secret: new Secret(input.admin.secret) },
    tlsClient: {
      ca: input.tlsClient.ca,
      certificate: certificate && { cert: certificate.cert, key: new Secret(certificate.key) },
    },
    certificateChanged: (event) => {
      report({ kind: 'certificate', report: certificateReport(event) })
    },
    flowEnded: (ended) => report({ kind: 'flow-ended', ended }),
    log,
  })
}

function serve(server: SipServer, log: Logger): void {
  const load = new ThreadLoad()
  parentPort?.on('message', (request: WorkerRequest) => {
    const { id } = request
    switch (request.kind) {
      case 'metrics':
        report({ kind: 'metrics', id, metrics: { ...server.metrics(), load: load.take() } })
        break
      case 'listeners':
        report({ kind: 'listeners', id, listeners: server.listeners() })
        break
      case 'reload': {
        const reports = server.reloadCertificates().map(certificateReport)
        report({ kind: 'reloaded', id, reports })
        break
      }
      case 'tls':
        server.configureTls(request.peers)
        break
      case 'tap':
        server.tap(request.on ? (batch) => report({ kind: 'tapped', batch }) : undefined)
        break
      case 'taken':
        server.tapped(request.bytes)
        break
      case 'configure': {
        log.level = request.changes.logLevel
        const reports = server.configure(request.changes).map(certificateReport)
        report({ kind: 'reloaded', id, reports })
        break
      }
      case 'close':
        load.stop()
        void server.close().then(() => {
          report({ kind: 'closed', id })
          parentPort?.close()
        })
        break
    }
  })
  report({ kind: 'ready', admin: server.admin, listeners: server.listeners() })
}

const input = workerData as WorkerInput
const log = createLogger({
  level: input.logLevel,
  // Masked by the parent, which knows what its operator wants.
  numbers: 'full',
  destination: { write: (line) => report({ kind: 'log', line }) },
})
start(input, log).then(
  (server) => serve(server, log),
  (error: unknown) => {
    report({ kind: 'failed', error: errorReport(error) })
    parentPort?.close()
  },
)
