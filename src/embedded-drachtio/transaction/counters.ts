/** Running totals of the transaction layer, for metrics. Plain numbers that only grow. */
export interface TransactionCounters {
  serverInvite: number
  serverOther: number
  clientInvite: number
  clientOther: number
  /** Requests a peer sent again, and responses of ours it got again. */
  requestsRepeatedIn: number
  /** Final responses that came again while their transaction was completed. */
  responsesRepeatedIn: number
  /** Requests sent again on timer A or E. */
  requestsRepeatedOut: number
  /** Responses sent again: on timer G, a 2xx until ACK, a reliable 1xx until PRACK. */
  responsesRepeatedOut: number
  /** Timer B: an INVITE without any response. */
  inviteTimeouts: number
  /** Timer F: another request without a final response. */
  requestTimeouts: number
  /** Timer C: an INVITE without a final response, cancelled. */
  progressTimeouts: number
  /** A CANCEL after which no final response came. */
  cancelTimeouts: number
  /** Timer H: no ACK for a failure response. */
  failureAckTimeouts: number
  /** Timer L without an ACK for a 2xx. */
  ackTimeouts: number
  /** A reliable provisional response without PRACK. */
  prackTimeouts: number
  /** Requests of a peer that our user never answered. */
  unanswered: number
  /** Requests sent to a further target. */
  failovers: number
  /** Requests answered by the layer itself, without a transaction. */
  rejected: number
  /** Responses that match no client transaction. */
  strayResponses: number
}

/** Counters at zero. */
export function createTransactionCounters(): TransactionCounters {
  return {
    serverInvite: 0,
    serverOther: 0,
    clientInvite: 0,
    clientOther: 0,
    requestsRepeatedIn: 0,
    responsesRepeatedIn: 0,
    requestsRepeatedOut: 0,
    responsesRepeatedOut: 0,
    inviteTimeouts: 0,
    requestTimeouts: 0,
    progressTimeouts: 0,
    cancelTimeouts: 0,
    failureAckTimeouts: 0,
    ackTimeouts: 0,
    prackTimeouts: 0,
    unanswered: 0,
    failovers: 0,
    rejected: 0,
    strayResponses: 0,
  }
}
