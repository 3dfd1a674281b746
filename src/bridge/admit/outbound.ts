import type { PermissionFacts } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { CausewayError } from '../../shared/errors/index.ts'

/** A verdict on a call that is being asked for elsewhere. */
export interface PendingVerdict {
  /** Undefined: the call may go out. Never rejects. */
  verdict: Promise<CausewayError | undefined>
  /** The call is over; nobody waits for the verdict any more. */
  abandon(): void
}

/** Decides whether a business-initiated call may leave, before its INVITE and its media. */
export interface OutboundGate {
  /**
   * Undefined: at once. An error: refused with its status, Reason and code. Else the call waits.
   *
   * @param consumer `+E.164` or BSUID
   */
  admit(
    number: NumberConfig,
    trunk: TrunkConfig,
    consumer: string,
  ): CausewayError | PendingVerdict | undefined
  /** What the verdict rests on, for the record of the call; undefined where the trunk checks nothing. */
  permission?(
    number: NumberConfig,
    trunk: TrunkConfig,
    consumer: string,
  ): PermissionFacts | undefined
}

/** Lets every call through: WhatsApp is the judge. */
export const openGate: OutboundGate = { admit: () => undefined }
