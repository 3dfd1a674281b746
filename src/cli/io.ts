/** Where a verb writes. */
export interface Output {
  write(text: string): unknown
  /** Set on a terminal. */
  isTTY?: boolean | undefined
}

/** What a verb sees of the world around the process; tests pass their own. */
export interface Io {
  stdout: Output
  stderr: Output
  env: Record<string, string | undefined>
  /** Folder that relative paths of arguments start from. */
  cwd: string
  /** Aborted by the first SIGINT or SIGTERM: the verb should end in good order. */
  signal: AbortSignal
}

/** The real process. A second SIGINT or SIGTERM ends it at once. */
export function processIo(): Io {
  const controller = new AbortController()
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    controller.abort(signal)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
  }
}
