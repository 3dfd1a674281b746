import type { LegShape, LegTransport } from '../../media/anchor/types.ts'
import type { AudioDescription } from '../../media/sdp/types.ts'
import type { Wire } from '../io/types.ts'
import type { WireKind } from './engine.ts'

/**
 * The wire of a leg through offers and answers. A later description may ask for the other kind of
 * wire; the one in use stays until the new one is agreed on.
 */
export class WireHolder {
  #kind: WireKind
  #wire: Wire
  #coming: { kind: WireKind; wire: Wire } | undefined
  readonly #create: (kind: WireKind) => Wire
  readonly #onChange: (wire: Wire) => void
  #closed = false
  /** Whether our end has been described to the remote. */
  described = false

  constructor(kind: WireKind, create: (kind: WireKind) => Wire, onChange: (wire: Wire) => void) {
    this.#kind = kind
    this.#create = create
    this.#onChange = onChange
    this.#wire = create(kind)
  }

  /** The wire in use. */
  get wire(): Wire {
    return this.#wire
  }

  async offer(shape: LegShape): Promise<LegTransport> {
    const transport = await (await this.#wireFor(shape)).offer(shape)
    this.described = true
    return transport
  }

  async accept(answer: AudioDescription): Promise<void> {
    const wire = this.#coming?.wire ?? this.#wire
    await wire.accept(answer)
    await this.#take(wire)
  }

  async answer(offer: AudioDescription, shape: LegShape): Promise<LegTransport> {
    const wire = await this.#wireFor(shape)
    const transport = await wire.answer(offer, shape).catch(async (error: unknown) => {
      await this.#abandon()
      throw error
    })
    await this.#take(wire)
    this.described = true
    return transport
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#wire.close(), this.#coming?.wire.close()])
  }

  async #wireFor(shape: LegShape): Promise<Wire> {
    const kind = shape.keying === 'dtls' ? 'dtls' : 'udp'
    if (this.#coming?.kind === kind) return this.#coming.wire
    await this.#abandon()
    if (kind === this.#kind || this.#closed) return this.#wire
    this.#coming = { kind, wire: this.#create(kind) }
    return this.#coming.wire
  }

  async #take(wire: Wire): Promise<void> {
    if (wire === this.#wire || !this.#coming) return
    const former = this.#wire
    this.#wire = wire
    this.#kind = this.#coming.kind
    this.#coming = undefined
    this.#onChange(wire)
    await former.close()
  }

  async #abandon(): Promise<void> {
    const coming = this.#coming
    this.#coming = undefined
    await coming?.wire.close()
  }
}
