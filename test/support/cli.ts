import type { Io, Output } from '../../src/cli/io.ts'
import { main } from '../../src/cli/main.ts'

/** Collects what a verb writes. */
export class Captured implements Output {
  text = ''
  isTTY: boolean | undefined

  constructor(isTTY?: boolean) {
    this.isTTY = isTTY
  }

  write(text: string): void {
    this.text += text
  }
}

/** What a command line came to. */
export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** Runs `causeway …args` in this process, with an environment of its own. */
export async function causeway(
  args: readonly string[],
  options: Partial<Pick<Io, 'env' | 'cwd' | 'signal'>> & { tty?: boolean } = {},
): Promise<Outcome> {
  const stdout = new Captured(options.tty)
  const stderr = new Captured(options.tty)
  const code = await main(args, {
    stdout,
    stderr,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    signal: options.signal ?? new AbortController().signal,
  })
  return { code, stdout: stdout.text, stderr: stderr.text }
}
