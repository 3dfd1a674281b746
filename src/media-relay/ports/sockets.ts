import { CausewayError } from '../../shared/errors/index.ts'
import { bindSocket } from '../udp/node-stack.ts'
import type { UdpSocket, UdpStack } from '../udp/types.ts'
import type { PortTable } from './port-table.ts'

/** Sockets of a leg. Whoever holds them closes them with {@link LegSockets.close}. */
export interface LegSockets {
  readonly rtp: UdpSocket
  readonly port: number
  /** On the odd port beside it; undefined where RTP and RTCP share one. */
  readonly rtcp: UdpSocket | undefined
  /** Gives the RTCP port up: the remote has agreed to share one. Idempotent. */
  share(): Promise<void>
  /** Resolves when both are closed and their ports given back. Idempotent. */
  close(): Promise<void>
}

/** Opens sockets within a range; binding a port is what reserves it against other programs. */
export interface SocketPool {
  /**
   * @throws CausewayError `MEDIA_PORTS_EXHAUSTED` when nothing is free, `MEDIA_LISTEN` when the
   * address is not of this machine
   */
  open(pair: boolean): Promise<LegSockets>
  /** Sockets open now. */
  readonly size: number
}

/** A pool on one listen address (an IP literal). */
export function createSocketPool(table: PortTable, listen: string, stack: UdpStack): SocketPool {
  let size = 0

  async function openOne(port: number): Promise<UdpSocket | undefined> {
    try {
      const socket = await stack.bind(listen, port)
      size++
      return socket
    } catch (error) {
      table.free(port)
      // Another program has it; it cools down like a used one, so that the search ends.
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
      throw bindError(error as NodeJS.ErrnoException)
    }
  }

  async function closeOne(socket: UdpSocket, port: number): Promise<void> {
    await socket.close()
    size--
    table.free(port)
  }

  async function openPair(port: number): Promise<LegSockets | undefined> {
    let rtp: UdpSocket | undefined
    let rtcp: UdpSocket | undefined
    try {
      rtp = await openOne(port)
      if (rtp) rtcp = await openOne(port + 1)
      return rtp && rtcp && holder(rtp, port, rtcp)
    } finally {
      if (!rtcp) {
        if (rtp) await closeOne(rtp, port)
        else table.free(port + 1)
      }
    }
  }

  function holder(rtp: UdpSocket, port: number, rtcp: UdpSocket | undefined): LegSockets {
    let sharing: Promise<void> | undefined
    let closing: Promise<void> | undefined
    const share = (): Promise<void> => {
      sharing ??= rtcp ? closeOne(rtcp, port + 1) : Promise.resolve()
      return sharing
    }
    return {
      rtp,
      port,
      get rtcp() {
        return sharing ? undefined : rtcp
      },
      share,
      close() {
        closing ??= Promise.all([closeOne(rtp, port), share()]).then(() => {})
        return closing
      },
    }
  }

  return {
    get size() {
      return size
    },
    async open(pair) {
      for (;;) {
        const port = pair ? table.takePair() : table.takeOne()
        if (port === undefined) throw exhausted(table)
        if (pair) {
          const sockets = await openPair(port)
          if (sockets) return sockets
        } else {
          const rtp = await openOne(port)
          if (rtp) return holder(rtp, port, undefined)
        }
      }
    },
  }
}

/**
 * Whether sockets can be opened on an address.
 *
 * @throws CausewayError `MEDIA_LISTEN`
 */
export async function probe(listen: string): Promise<void> {
  const socket = await bindSocket(listen, 0).catch((error: NodeJS.ErrnoException) => {
    throw bindError(error)
  })
  await new Promise<void>((resolve) => socket.close(resolve))
}

/** The error of a range without a free port. */
export function exhausted(table: PortTable): CausewayError {
  const { total, used, cooling } = table.counts()
  return new CausewayError('MEDIA_PORTS_EXHAUSTED', {
    detail: `${total} ports, ${used} in use, ${cooling} cooling down`,
  })
}

function bindError(error: NodeJS.ErrnoException): CausewayError {
  const full = error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'ENOBUFS'
  return new CausewayError(full ? 'MEDIA_PORTS_EXHAUSTED' : 'MEDIA_LISTEN', {
    detail: error.message,
    cause: error,
  })
}
