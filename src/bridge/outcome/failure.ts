/** A final response that is not a success, or the news that none will come. */
export interface Failure {
  status: number
  reason: string
  /** Made by the SIP server here: nothing came from the peer (timeout, no connection, DNS). */
  local: boolean
  /** Warning header, raw. */
  warning?: string | undefined
}

/** The text of a failure: the Warning's (RFC 3261 §20.43) when it has one, else the reason phrase. */
export function textOf({ reason, warning }: Failure): string {
  const quoted = warning === undefined ? undefined : /"((?:[^"\\]|\\.)*)"/.exec(warning)?.[1]
  return quoted && quoted.length > reason.length ? quoted.replace(/\\(.)/g, '$1') : reason
}
