import type { CallMediaReport } from '../media/anchor/report.ts'
import type {
  AnchorCall,
  LegId,
  LegMedia,
  LegShape,
  LegTransport,
  MediaEvent,
  Playback,
} from '../media/anchor/types.ts'
import type { AudioDescription } from '../media/sdp/types.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Answers, Ask } from './protocol/messages.ts'
import type { WorkerPlace } from './worker/pool.ts'

/** Finds the worker of a call. */
export type ChooseWorker = () => WorkerPlace

/** A call in a worker, seen from the main thread. The first question pins it to its worker. */
export class RemoteCall implements AnchorCall {
  readonly #id: number
  readonly #name: string
  readonly #listener: (event: MediaEvent) => void
  readonly #choose: ChooseWorker
  readonly #onEnd: () => void
  #place: WorkerPlace | undefined
  #started = false
  #lost: CausewayError | undefined
  #releasing: Promise<CallMediaReport | undefined> | undefined

  constructor(
    id: number,
    name: string,
    listener: (event: MediaEvent) => void,
    choose: ChooseWorker,
    onEnd: () => void,
  ) {
    this.#id = id
    this.#name = name
    this.#listener = listener
    this.#choose = choose
    this.#onEnd = onEnd
  }

  offer(leg: LegId, shape: LegShape, peer: AudioDescription | undefined): Promise<LegTransport> {
    return this.#ask({ op: 'offer', leg, shape, peer })
  }

  accept(leg: LegId, answer: AudioDescription, media: LegMedia): Promise<void> {
    return this.#ask({ op: 'accept', leg, answer, media })
  }

  answer(
    leg: LegId,
    offer: AudioDescription,
    shape: LegShape,
    media: LegMedia,
  ): Promise<LegTransport> {
    return this.#ask({ op: 'answer', leg, offer, shape, media })
  }

  promote(): Promise<void> {
    return this.#ask({ op: 'promote' })
  }

  drop(leg: 'pbx' | 'next'): Promise<void> {
    return this.#ask({ op: 'drop', leg })
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    if (!this.#lost && !this.#releasing) this.#place?.thread?.start(this.#id)
  }

  play(leg: LegId, playback: Playback | undefined): Promise<void> {
    return this.#ask({ op: 'play', leg, playback })
  }

  query(): Promise<CallMediaReport> {
    return this.#ask({ op: 'query' })
  }

  release(): Promise<CallMediaReport | undefined> {
    this.#releasing ??= this.#release()
    return this.#releasing
  }

  async #release(): Promise<CallMediaReport | undefined> {
    const place = this.#place
    try {
      if (!place?.thread || this.#lost) return undefined
      return await place.thread.ask(this.#id, { op: 'release' })
    } catch {
      return undefined
    } finally {
      place?.give(this.#id)
      this.#onEnd()
    }
  }

  async #ask<Op extends Ask['op']>(ask: Extract<Ask, { op: Op }>): Promise<Answers[Op]> {
    if (this.#lost) throw this.#lost
    if (this.#releasing) throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'released' })
    const thread = (this.#place ?? this.#pin()).thread
    if (!thread) throw new CausewayError('MEDIA_RELAY_LOST')
    return thread.ask<Op>(this.#id, ask)
  }

  #pin(): WorkerPlace {
    const place = this.#choose()
    this.#place = place
    place.take(this.#id, {
      onEvent: (event) => {
        if (!this.#releasing) this.#listener(event)
      },
      onLost: (error) => {
        this.#lost = error
        if (!this.#releasing) this.#listener({ type: 'ended', error })
      },
    })
    place.thread?.allocate(this.#id, this.#name)
    if (this.#started) place.thread?.start(this.#id)
    return place
  }
}
