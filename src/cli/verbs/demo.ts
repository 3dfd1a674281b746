import { type DemoCall, pbxCalls, summary, userCalls } from '../demo/calls.ts'
import { allPass, numberReady, permissionToCall } from '../demo/number.ts'
import { formatStay, placesOf } from '../demo/stay.ts'
import { StepFailed, Steps } from '../demo/steps.ts'
import { formatHearings } from '../demo/verdict.ts'
import { Closers, demoFolder, startWorld, type World } from '../demo/world.ts'
import type { Io } from '../io.ts'
import { duration, formatCall } from '../ladder.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

const NEXT = `Next
  npm run demo -- --stay            keep all of this running and look around
  docs/guides/getting-started.md    from here to a real number and a real PBX
  config/asterisk.yaml              a ready configuration; also freeswitch.yaml
  npm run causeway -- config check  what is wrong with your own causeway.yaml
  npm run causeway -- simulate      the WhatsApp side alone, for your own PBX
`

/** `causeway demo`: the whole thing on one machine. */
export const verb: Verb = {
  name: 'demo',
  summary: 'two calls through simulator, Causeway and a toy PBX',
  usage: `Usage: causeway demo [--hold] [--stay] [--json]

Starts a WhatsApp simulator, a toy PBX and Causeway between them on loopback; no
account, no network, no daemon. Enables SIP on two simulated numbers through the
settings API, fetches the credentials, then completes a call from a WhatsApp
user (keys by SDES) and a call from the PBX (keys by DTLS), with audio in both
directions; the PBX speaks plain RTP. Prints both calls as ladders and what each
side heard.

Options:
      --hold          the PBX holds the first call without music, and resumes it
      --stay          keep it running until Ctrl-C, and print what to try
      --json          one JSON object: { ok, steps, calls, places }

Exit codes: 0 all of it was seen, 1 a step failed; the output says which and
why.

Example:
  causeway demo --stay
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, {
      hold: { type: 'boolean', default: false },
      stay: { type: 'boolean', default: false },
    })
    const demo = new Demo(io, { ...values })
    return await demo.run()
  },
}

class Demo {
  readonly #io: Io
  readonly #options: { hold: boolean; stay: boolean; json: boolean }
  readonly #steps: Steps
  readonly #closers = new Closers()
  readonly #calls: DemoCall[] = []
  readonly #began = performance.now()

  constructor(io: Io, options: { hold: boolean; stay: boolean; json: boolean }) {
    this.#io = io
    this.#options = options
    this.#steps = new Steps(io, options.json)
  }

  async run(): Promise<number> {
    const folder = demoFolder()
    let keep = true
    try {
      this.#say('WhatsApp simulator, Causeway and a toy PBX, all on this machine\n\n')
      const world = await this.#play(folder.path)
      keep = false
      await this.#conclude(world)
      return EXIT.done
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error
      keep = !this.#io.signal.aborted
      this.#fail(error, keep ? folder.path : undefined)
      return EXIT.failed
    } finally {
      await this.#closers.close()
      if (!keep) folder.remove()
    }
  }

  async #play(folder: string): Promise<World> {
    const steps = this.#steps
    const { signal } = this.#io
    const world = await startWorld(this.#io, steps, folder, this.#closers)
    await steps.run('numbers', async (say) => say(await numberReady(world, signal)))
    await steps.run('health', async (say) => say(await allPass(world.api, signal)))
    for (const [name, play] of [
      ['a WhatsApp user calls', userCalls],
      ['the PBX calls', pbxCalls],
    ] as const) {
      if (play === pbxCalls) {
        await steps.run('permission', async (say) =>
          say(await permissionToCall(world.simulator, signal)),
        )
      }
      await steps.run(name, async (say) => {
        const call = await play(world, signal, this.#options.hold)
        this.#calls.push(call)
        say(summary(call))
      })
    }
    return world
  }

  async #conclude(world: World): Promise<void> {
    const { stay, json } = this.#options
    const places = placesOf(world)
    if (json) this.#json(true, stay ? places : undefined)
    else {
      const paint = paintFor(this.#io.stdout, this.#io.env)
      for (const { record } of this.#calls) this.#say(`\n${formatCall(record, paint)}`)
      const table = formatHearings(
        this.#calls.flatMap(({ media }) => media),
        paint,
      )
      const took = duration(performance.now() - this.#began)
      const said = `2 calls, audio in both directions, no rule of WhatsApp's broken, ${took}`
      this.#say(`\n${table.join('\n')}\n\n${paint('green', `✓ ${said}`)}\n\n`)
      this.#say(stay ? formatStay(places) : NEXT)
    }
    if (stay) await aborted(this.#io.signal)
  }

  #fail(error: StepFailed, folder: string | undefined): void {
    if (this.#options.json) {
      this.#json(false, undefined)
      return
    }
    const paint = paintFor(this.#io.stderr, this.#io.env)
    const [line = ''] = error.message.split('\n')
    this.#io.stderr.write(`\n${paint('red', `The demo failed at: ${line}`)}\n`)
    if (folder) this.#io.stderr.write(`  Its files and Causeway's log are kept in ${folder}\n`)
  }

  #json(ok: boolean, places: object | undefined): void {
    const result = { ok, steps: this.#steps.done, calls: this.#calls, places }
    this.#io.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  }

  #say(text: string): void {
    if (!this.#options.json) this.#io.stdout.write(text)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
