import { parseDuration } from '../../config/index.ts'
import type { RotationView } from '../../http/index.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import {
  connect,
  errorOf,
  INSTANCE_OPTIONS,
  INSTANCE_USAGE,
  type InstanceValues,
} from '../client.ts'
import type { Io } from '../io.ts'
import { load } from '../load.ts'
import { formatIssue } from '../report.ts'
import { rotateDirectly } from '../rotate/direct.ts'
import { isRunning, rotateInInstance } from '../rotate/instance.ts'
import { formatWindow, Progress } from '../rotate/progress.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** `causeway numbers rotate`. */
export const verb: Verb = {
  name: 'numbers rotate',
  summary: 'give a number a new SIP password',
  usage: `Usage: causeway numbers rotate NUMBER [--wait DURATION] [--resume]
                               [-c FILE | --url URL] [--json]

NUMBER is a name under numbers. WhatsApp makes a new password when the SIP
server of a number is removed and added again with calling switched off; until
it is on again the number takes no calls. A running instance is asked to do it:
it refuses new calls of that number with 503 and Retry-After, waits for those in
progress and then goes on; calls in progress are never ended. Without one the
command does it itself. Each step is written down before it is made
(records.path): an instance continues an interrupted rotation at its next start,
--resume does so at once.

Options:
      --wait DURATION how long the instance waits for calls in progress
                      (default: 60s)
      --resume        continue an interrupted rotation
${INSTANCE_USAGE}
      --json          { number, state, unfinished, steps, calls, window_ms,
                      error }

Exit codes: 0 a new password is in use, 1 failed.

Examples:
  causeway numbers rotate support -c causeway.yaml
  causeway numbers rotate support --wait 5m
  causeway numbers rotate support --resume
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(
      args,
      {
        ...INSTANCE_OPTIONS,
        wait: { type: 'string', default: '60s' },
        resume: { type: 'boolean', default: false },
      },
      1,
    )
    if (parseDuration(values.wait) === undefined) {
      throw new UsageError(`--wait ${values.wait}: expected 30s, 5m or 1h`)
    }
    const out = values.json ? io.stderr : io.stdout
    const progress = new Progress(out, paintFor(out, io.env))
    const rotation = await rotateSomewhere(positionals[0] as string, values, io, progress)
    if (values.json) io.stdout.write(`${JSON.stringify(rotation, null, 2)}\n`)
    else conclude(rotation, io, progress)
    return rotation.state === 'done' ? EXIT.done : EXIT.failed
  },
}

async function rotateSomewhere(
  number: string,
  values: InstanceValues & { wait: string; resume: boolean },
  io: Io,
  progress: Progress,
): Promise<RotationView> {
  const { resume } = values
  const known = values.url !== undefined || load(values.config, io).config.http.listen.port !== 0
  const client = known ? connect(values, io) : undefined
  if (client && (values.url !== undefined || (await isRunning(client)))) {
    progress.line(`rotating the SIP password of ${number}, by the instance at ${client.url}`)
    return await rotateInInstance(client, number, values, progress)
  }
  const where = client ? `no instance answers at ${client.url}` : 'http.listen has no fixed port'
  progress.line(`rotating the SIP password of ${number}; ${where}, so directly`)
  const { config } = load(values.config, io)
  return await rotateDirectly(config, number, resume, progress, io.stderr)
}

function conclude(rotation: RotationView, io: Io, progress: Progress): void {
  const { error, number, state, unfinished, window_ms } = rotation
  if (state === 'done') {
    const window = formatWindow(window_ms ?? 0)
    const paint = paintFor(io.stdout, io.env)
    progress.line(`${paint('green', 'done')}: a new password, ${window} without service`)
    return
  }
  const coded = isCausewayError(error) ? error : errorOf(error)
  const paint = paintFor(io.stderr, io.env)
  if (coded) io.stderr.write(`${formatIssue(coded, 'error', paint)}\n`)
  if (!unfinished) return
  io.stderr.write(
    `The number may be switched off. Continue with: causeway numbers rotate ${number} --resume\n`,
  )
}
