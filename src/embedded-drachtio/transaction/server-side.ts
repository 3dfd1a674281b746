import {
  headerLine,
  headerValue,
  makeResponse,
  refusalHeaders,
  type SipParseError,
  serializeMessage,
} from '../message/index.ts'
import type { Flow, HeaderLine, SipRequest } from '../message/types.ts'
import type { Core } from './core.ts'
import { callKey, serverKey } from './keys.ts'
import { ServerInvite } from './server-invite.ts'
import { ServerNonInvite } from './server-non-invite.ts'
import { type AnyServer, ServerTable } from './server-table.ts'
import { statelessTag } from './to-tag.ts'

const retryLater: readonly HeaderLine[] = [headerLine('Retry-After', '5')]

/** Incoming requests: matched to their server transaction, refused, or given to the user. */
export class ServerSide {
  readonly table = new ServerTable()
  readonly #core: Core
  readonly #tagSeed: number

  constructor(core: Core) {
    this.#core = core
    this.#tagSeed = core.random.int(0, 2 ** 32)
  }

  /** A well-formed request came. */
  request(request: SipRequest, flow: Flow): void {
    if (request.method === 'ACK') {
      this.#ack(request, flow)
      return
    }
    const key = serverKey(request, request.method)
    const known = this.table.byKey(key)
    if (known) known.repeated()
    else if (request.method === 'CANCEL') this.#cancel(request, flow, key)
    else this.#create(request, flow, key)
  }

  /** A request that does not parse: answered when enough of it could be read (RFC 3261 §8.2.7). */
  malformed(error: SipParseError, flow: Flow): void {
    const { partial } = error
    if (partial?.kind === 'request' && partial.method !== 'ACK') {
      this.#refuse(partial, flow, error.status, { detail: error.message })
    }
  }

  #ack(request: SipRequest, flow: Flow): void {
    const own = this.table.byKey(serverKey(request, 'INVITE'))
    if (own?.invite) {
      if (own.ack()) return
      own.acknowledged()
    } else {
      // The ACK for a 2xx has a branch of its own; the rest of it names the INVITE.
      const invite = this.table.byCall(callKey(request, 'INVITE'))
      if (invite?.invite && invite.toTag === request.toTag) invite.acknowledged()
    }
    this.#core.user.ack(request, flow)
  }

  #cancel(request: SipRequest, flow: Flow, key: string): void {
    const invite = this.table.byKey(serverKey(request, 'INVITE'))
    if (!invite?.invite) {
      this.#refuse(request, flow, 481)
      return
    }
    if (invite.toTag === '') invite.toTag = this.#core.random.hex(5)
    const identity = { id: this.#core.random.uuid(), key, callKey: undefined }
    const transaction = new ServerNonInvite(
      this.#core,
      request,
      flow,
      identity,
      this.#removeQuietly,
    )
    this.#core.counters.serverOther++
    this.table.add(transaction)
    transaction.respond(makeResponse(request, 200, undefined, { toTag: invite.toTag }))
    if (invite.state !== 'proceeding' || invite.cancelled) return
    invite.cancel()
    this.#core.user.cancelled(invite, request)
  }

  #create(request: SipRequest, flow: Flow, key: string): void {
    const core = this.#core
    const maxForwards = headerValue(request.headers, 'max-forwards')
    if (maxForwards !== undefined && Number(maxForwards) === 0 && maxForwards !== '') {
      this.#refuse(request, flow, 483)
      return
    }
    const inDialog = request.toTag !== ''
    const invite = request.method === 'INVITE'
    const call = invite || !inDialog ? callKey(request, request.method) : undefined
    // The same request by a second path (RFC 3261 §8.2.2.2).
    if (call !== undefined && !inDialog && this.table.byCall(call)?.pending) {
      this.#refuse(request, flow, 482)
      return
    }
    if (this.table.size >= core.limits.serverTransactions) {
      this.#refuse(request, flow, 503, { headers: retryLater })
      return
    }
    const id = core.random.uuid()
    let transaction: AnyServer
    if (invite && call !== undefined) {
      core.counters.serverInvite++
      transaction = new ServerInvite(core, request, flow, { id, key, callKey: call }, this.#remove)
    } else {
      core.counters.serverOther++
      transaction = new ServerNonInvite(
        core,
        request,
        flow,
        { id, key, callKey: call },
        this.#remove,
      )
    }
    this.table.add(transaction)
    core.user.request(transaction)
  }

  /** Answers without a transaction: a repeated request gets the same answer anew. */
  #refuse(
    request: SipRequest,
    flow: Flow,
    status: number,
    { headers = [], detail }: { headers?: readonly HeaderLine[]; detail?: string } = {},
  ): void {
    this.#core.counters.rejected++
    const toTag = statelessTag(request, this.#tagSeed)
    const why = refusalHeaders(request, flow, status, detail)
    const response = makeResponse(request, status, undefined, {
      toTag,
      headers: [...headers, ...why],
    })
    this.#core.transport.sendResponse(flow, request.via, serializeMessage(response))
  }

  readonly #remove = (transaction: AnyServer): void => {
    this.table.remove(transaction)
    this.#core.user.ended?.(transaction)
  }

  /** For the CANCEL, of which the user knows nothing. */
  readonly #removeQuietly = (transaction: AnyServer): void => {
    this.table.remove(transaction)
  }
}
