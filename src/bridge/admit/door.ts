import { type Call, causeOf } from '../../calls/index.ts'
import type { NumberConfig } from '../../config/types.ts'
import { chainOf, chooseRoute } from '../../routing/index.ts'
import { detach } from '../../shared/detach.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { BusinessInitiatedCall } from '../call/business-initiated.ts'
import { takeReplaces } from '../call/replaces.ts'
import { UserInitiatedCall } from '../call/user-initiated.ts'
import type { BridgeContext } from '../context.ts'
import { challengeValue } from '../digest/challenge.ts'
import { IncomingInvite } from '../invite/incoming-invite.ts'
import { coded } from '../outcome/coded.ts'
import { refusalHeaders, retryHeaders } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest } from '../sip-port.ts'
import { trunkFull } from '../trunks/room.ts'
import { readArrival } from './arriving.ts'
import { checkInvite } from './checks.ts'
import type { Side } from './directory.ts'
import { checkLimits } from './limits.ts'
import { admitPbx, readDialled } from './pbx-gate.ts'
import { admitWhatsApp, type Entry, rotating } from './whatsapp-gate.ts'

/** Refusals that strangers and those who dial cause every day: nothing is wrong with the set-up. */
const EVERYDAY: ReadonlySet<string> = new Set([
  'CALL_SOURCE_REFUSED',
  'CALL_PBX_SOURCE_REFUSED',
  'CALL_DIALLED_INVALID',
  'CALL_REQUEST_BAD',
  'CALL_DRAINING',
  'CALL_NUMBER_ROTATING',
])

/** Told of every INVITE that did not become a call. */
export type RefusalListener = (side: Side, code: string) => void

/** Takes new INVITEs: decides which side they come from, and what keeps them from being calls. */
export class Door {
  readonly #ctx: BridgeContext
  readonly #onRefusal: RefusalListener

  constructor(ctx: BridgeContext, onRefusal: RefusalListener) {
    this.#ctx = ctx
    this.#onRefusal = onRefusal
  }

  /** Handles a new INVITE. Never rejects. */
  async onInvite(request: IncomingRequest): Promise<void> {
    const invite = new IncomingInvite(request)
    const { directory, registrations } = this.#ctx
    // What bears the token of our registration is the PBX's on whichever listener our Contact named.
    const registered = registrations.trunkByToken(request) !== undefined
    const side = registered ? 'pbx' : directory.sideOf(request)
    // What replaces a leg of a call is no new call.
    const replaces = side === 'pbx' && request.header('replaces') !== undefined
    try {
      if (this.#ctx.draining && !replaces)
        this.#refuse(side, invite, new CausewayError('CALL_DRAINING'))
      else if (side === 'whatsapp') await this.#fromWhatsApp(invite)
      else this.#fromPbx(invite)
    } catch (error) {
      const fault = coded(error)
      this.#ctx.log.error({ err: fault }, 'INVITE failed')
      this.#refuse(side, invite, fault)
    }
  }

  async #fromWhatsApp(invite: IncomingInvite): Promise<void> {
    const { request } = invite
    const number = this.#admitted('whatsapp', invite, await admitWhatsApp(this.#ctx, request))
    if (!number || invite.cancelled) return
    const arrival = readArrival(request, this.#ctx.clock.now())
    if (!arrival) {
      const error = new CausewayError('CALL_REQUEST_BAD', { detail: 'From cannot be read' })
      this.#refuse('whatsapp', invite, error)
      return
    }
    const route = chooseRoute(number, arrival.call)
    const { directory } = this.#ctx
    const trunks = (route ? chainOf(route.inbound) : [])
      .map((step) => directory.trunk(step.trunk))
      .filter((trunk) => trunk !== undefined)
    const [trunk] = trunks
    if (!route || !trunk) {
      const error = new CausewayError('CALL_INBOUND_OFF', { place: `number ${number.name}` })
      this.#refuse('whatsapp', invite, error)
      return
    }
    if (this.#refusedByChecks('whatsapp', invite, number)) return
    const call = this.#ctx.calls.begin({
      id: this.#ctx.random.hex(8),
      direction: 'user-initiated',
      number: number.name,
      business: number.phoneNumber,
      consumer: arrival.call.consumer,
      trunk: trunk.name,
      route: route.name,
      whatsapp: arrival.facts,
      callIds: { whatsapp: detach(invite.request.callId) },
    })
    const { inbound, refuse } = route
    if (refuse === undefined) {
      new UserInitiatedCall(this.#ctx, { call, invite, number, inbound, trunks }).begin()
    } else refuseCall(call, invite, refuse)
  }

  #fromPbx(invite: IncomingInvite): void {
    const { request } = invite
    const trunk = this.#admitted('pbx', invite, admitPbx(this.#ctx, request))
    if (!trunk) return
    if (request.header('replaces') !== undefined) {
      const refusal = takeReplaces(this.#ctx, invite, trunk)
      if (refusal) this.#refuse('pbx', invite, refusal.error, refusal.headers)
      return
    }
    const dialled = readDialled(this.#ctx.directory, trunk, request)
    if (isCausewayError(dialled)) {
      this.#refuse('pbx', invite, dialled)
      return
    }
    const { number, consumer, route } = dialled
    if (this.#ctx.heldNumbers.has(number.name)) {
      this.#refuse('pbx', invite, rotating(number.name))
      return
    }
    if (this.#refusedByChecks('pbx', invite, number)) return
    const full = trunkFull(trunk, this.#ctx.calls)
    if (full) {
      this.#refuse('pbx', invite, full)
      return
    }
    const call = this.#ctx.calls.begin({
      id: this.#ctx.random.hex(8),
      direction: 'business-initiated',
      number: number.name,
      business: number.phoneNumber,
      consumer: detach(consumer),
      trunk: trunk.name,
      route,
      callIds: { pbx: detach(request.callId) },
    })
    new BusinessInitiatedCall(this.#ctx, { call, invite, number, trunk }).begin()
  }

  /** The value of an entry that is in; otherwise the INVITE is answered and the value is missing. */
  #admitted<T>(side: Side, invite: IncomingInvite, entry: Entry<T>): T | undefined {
    if (entry.kind === 'in') return entry.value
    if (entry.kind === 'refused') {
      this.#refuse(side, invite, entry.error)
      return undefined
    }
    const { domain } = this.#ctx.directory.config.sip
    const value = challengeValue(this.#ctx.nonces, domain, entry.stale)
    invite.reject(407, { 'Proxy-Authenticate': value })
    return undefined
  }

  #refusedByChecks(side: Side, invite: IncomingInvite, number: NumberConfig): boolean {
    const { calls, directory, rate } = this.#ctx
    const refusal = checkInvite(side, invite.request)
    if (refusal) {
      this.#refuse(side, invite, refusal.error, refusal.headers)
      return true
    }
    const full = checkLimits(directory.config.limits, calls, number, rate)
    if (full) this.#refuse(side, invite, full)
    return full !== undefined
  }

  #refuse(side: Side, invite: IncomingInvite, error: CausewayError, extra: Headers = {}): void {
    const { config } = this.#ctx.directory
    // A scanner learns nothing from a bare status; the PBX learns everything.
    const said = side === 'pbx' ? refusalHeaders(error, config.sip.domain) : retryHeaders(error)
    invite.reject(error.sip, { ...said, ...extra })
    this.#onRefusal(side, error.code)
    const { sourceAddress, callId } = invite.request
    const { code, place, detail, fix } = error
    this.#ctx.log.debug({ code, detail, sourceAddress, callId }, 'refused')
    const level = EVERYDAY.has(code) ? 'info' : 'warn'
    const facts = { code, place, detail, sourceAddress, callId, fix }
    this.#ctx.notices.tell(`${side} ${code} ${place ?? ''}`, level, facts, 'INVITE refused')
  }
}

/** Ends a call the way its route asks for: it is one, and leaves a record. */
function refuseCall(call: Call, invite: IncomingInvite, status: number): void {
  call.note('whatsapp', 'in', 'INVITE')
  if (invite.reject(status)) call.note('whatsapp', 'out', String(status))
  const detail = `route ${call.route}, ${status}`
  call.end(causeOf(new CausewayError('CALL_ROUTE_REFUSED', { detail, sip: status })))
}
