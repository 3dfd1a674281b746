import type { MediaEvent } from '../../media/anchor/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Call } from '../call/call.ts'
import { createEngine, type Engine } from '../call/engine.ts'
import { probe } from '../ports/sockets.ts'
import type { Answers, Ask, FromWorker, ThreadInput, ToWorker } from '../protocol/messages.ts'
import { pack, packError, unpack } from '../protocol/pack.ts'
import { openUdpStack } from '../udp/index.ts'

/** The calls of one worker, as the main thread drives them by messages. */
export interface RelayHost {
  receive(message: Exclude<ToWorker, { kind: 'close' }>): void
  /** Resolves when every call has ended and no socket is open. Idempotent. */
  close(): Promise<void>
}

interface HostDeps {
  clock: Clock
  random: Random
  log: Logger
  post(message: FromWorker): void
}

/** Milliseconds after a question of a call's set-up in which more may come, and a DTLS handshake. */
const SET_UP_MS = 100
/** Milliseconds between two reports of a worker's figures. */
const STATUS_INTERVAL = 1_000

/**
 * Makes the host of a worker's calls.
 *
 * @throws CausewayError `MEDIA_LISTEN`
 */
export async function createHost(input: ThreadInput, deps: HostDeps): Promise<RelayHost> {
  await probe(input.listen)
  const stack = await openUdpStack(input.sockets, input.files, deps.log)
  const engine = await createEngine({ ...input, ...deps, stack })
  return new Host(engine, deps)
}

class Host implements RelayHost {
  readonly #engine: Engine
  readonly #deps: HostDeps
  readonly #calls = new Map<number, Call>()
  #closing: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(engine: Engine, deps: HostDeps) {
    this.#engine = engine
    this.#deps = deps
    this.#report()
  }

  receive(message: Exclude<ToWorker, { kind: 'close' }>): void {
    switch (message.kind) {
      case 'allocate':
        this.#allocate(message.call, message.name)
        break
      case 'start':
        this.#calls.get(message.call)?.start()
        break
      case 'configure':
        this.#deps.log.level = message.changes.logLevel
        this.#engine.advertise(message.changes.externalAddress)
        break
      case 'ask':
        this.#answer(message.id, message.call, unpack<Ask>(message.ask))
        break
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#timer?.clear()
      this.#calls.clear()
      await this.#engine.close()
    })()
    return this.#closing
  }

  #allocate(id: number, name: string): void {
    const listener = (event: MediaEvent): void => {
      this.#deps.post({ kind: 'event', call: id, event: pack(event) })
    }
    this.#calls.set(id, this.#engine.allocate(name, listener))
  }

  #answer(id: number, call: number, ask: Ask): void {
    if (ask.op === 'offer' || ask.op === 'accept' || ask.op === 'answer') {
      this.#engine.expectOthers(SET_UP_MS)
    }
    this.#perform(call, ask).then(
      (value) => {
        // First, so that who has the answer finds figures that fit it.
        if (ask.op !== 'query') this.#post()
        this.#deps.post({ kind: 'reply', id, value: pack(value) })
      },
      (error: unknown) => this.#deps.post({ kind: 'refusal', id, error: packError(error) }),
    )
  }

  async #perform(id: number, ask: Ask): Promise<Answers[keyof Answers]> {
    const call = this.#calls.get(id)
    if (!call) throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'the call has ended' })
    switch (ask.op) {
      case 'offer':
        return call.offer(ask.leg, ask.shape, ask.peer)
      case 'accept':
        await call.accept(ask.leg, ask.answer, ask.media)
        return undefined
      case 'answer':
        return call.answer(ask.leg, ask.offer, ask.shape, ask.media)
      case 'promote':
        await call.promote()
        return undefined
      case 'drop':
        await call.drop(ask.leg)
        return undefined
      case 'play':
        await call.play(ask.leg, ask.playback)
        return undefined
      case 'query':
        return call.query()
      case 'release':
        this.#calls.delete(id)
        return call.release()
    }
  }

  #report(): void {
    this.#post()
    this.#timer = this.#deps.clock.setTimeout(() => this.#report(), STATUS_INTERVAL)
  }

  #post(): void {
    this.#deps.post({ kind: 'status', status: this.#engine.status() })
  }
}
