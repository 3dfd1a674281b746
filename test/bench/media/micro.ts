import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const HELP = `npm run bench -- media-micro

  Microseconds of SRTP for each packet and suite, and of transcoding for each frame.`

/** The micro benchmarks of the media relay, each in a process of its own. */
export async function benchMediaMicro(args: string[]): Promise<void> {
  if (args.includes('--help')) {
    console.log(HELP)
    return
  }
  for (const name of ['srtp.ts', 'transcode.ts']) {
    const file = join(import.meta.dirname, name)
    const child = spawn(process.execPath, [file], { stdio: 'inherit' })
    await once(child, 'exit')
  }
}
