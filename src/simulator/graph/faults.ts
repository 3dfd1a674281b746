/** A disturbance of the next requests that match it. */
export interface Fault {
  /** How many requests it hits; default 1. */
  count?: number
  method?: 'GET' | 'POST'
  /** Part of the path, such as `/settings` or a phone number ID. */
  path?: string
  /** Milliseconds before anything else happens. Alone, it only slows the request down. */
  delay?: number
  /** HTTP status of the error; default by code. */
  status?: number
  /** Graph error code. */
  code?: number
  subcode?: number
  message?: string
  /** Sent in the header Retry-After. */
  retryAfter?: string
  /** A raw body instead of the envelope, for malformed answers. */
  body?: string
  /** Cuts the connection instead of answering. */
  hangUp?: boolean
}

/** The faults still to come, in the order they were asked for. */
export interface Faults {
  inject(fault: Fault): void
  /** Takes the fault that hits this request, if any. */
  take(method: string, path: string): Fault | undefined
  clear(): void
}

/** Whether the fault answers the request itself, or only delays it. */
export function answers(fault: Fault): boolean {
  return fault.hangUp === true || (fault.status ?? fault.code ?? fault.body) !== undefined
}

/** Creates an empty list. */
export function createFaults(): Faults {
  const pending: { fault: Fault; left: number }[] = []
  return {
    inject: (fault) => void pending.push({ fault, left: fault.count ?? 1 }),
    take(method, path) {
      const index = pending.findIndex(
        ({ fault }) =>
          (fault.method ?? method) === method && (!fault.path || path.includes(fault.path)),
      )
      const entry = pending[index]
      if (!entry) return undefined
      entry.left--
      if (entry.left <= 0) pending.splice(index, 1)
      return entry.fault
    },
    clear: () => void pending.splice(0),
  }
}
