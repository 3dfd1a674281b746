/** The first line of the frames a server sends, token by token. */

/** Where a message came from or went to, as leaders show it. */
export interface WireMeta {
  source: 'network' | 'application'
  /** Message size in bytes; 0 for messages made inside the server. */
  size: number
  /** `udp`, `tcp`, `tls` or empty. */
  transport: string
  address: string
  port: number
  /** Milliseconds since the epoch. */
  time: number
}

let lastSecond = -1
let lastClock = ''

/** Time of day in UTC: `HH:MM:SS.uuuuuu`. */
export function timeOfDay(time: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastClock = new Date(second * 1000).toISOString().slice(11, 19)
  }
  const micros = Math.floor((time - second * 1000) * 1000)
  return `${lastClock}.${String(micros).padStart(6, '0')}`
}

function meta(m: WireMeta): string {
  return `${m.source}|${m.size}|${m.transport}|${m.address}|${m.port}|${timeOfDay(m.time)}`
}

/** A request or response handed to the application. `received` only for requests outside dialogs. */
export function sipLeader(
  mid: string,
  m: WireMeta,
  txn: string,
  dlg: string,
  received?: { address: string; port: number },
): string {
  const tail = received ? `${received.address}|${received.port}|` : ''
  return `${mid}|sip|${meta(m)}|${txn}|${dlg}|${tail}`
}

/** The answer to a request the application sent: the transaction and, below, the request as sent. */
export function requestSentLeader(mid: string, request: string, m: WireMeta, txn: string): string {
  return `${mid}|response|${request}|OK|${meta(m)}|${txn}|Msg sent:|`
}

/** The answer to a response the application sent. */
export function responseSentLeader(
  mid: string,
  request: string,
  m: WireMeta,
  txn: string,
  dlg: string,
): string {
  return `${mid}|response|${request}|OK|${meta(m)}|${txn}|${dlg}||Msg sent:|`
}

/** Any other answer: `OK|pong`, `NOK|reason`, `NO|reason`. */
export function replyLeader(mid: string, request: string, ...rest: string[]): string {
  return `${mid}|response|${request}|${rest.join('|')}`
}
