import type { MediaRelay } from '../media/index.ts'
import type { SipServerHandle } from './sip-server.ts'

/** How long the SIP server's thread may take to answer, milliseconds. */
const PATIENCE = 5000

/**
 * Names the part of this process that does not work and that only a restart brings back; undefined
 * while there is none. A part of another process, an rtpengine say, is none of them.
 */
export async function stuckPart(
  sip: SipServerHandle,
  media: MediaRelay,
): Promise<string | undefined> {
  if (media.alive?.() === false) return 'no media worker runs'
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('the SIP server does not answer'), PATIENCE)
  })
  const answered = sip.metrics().then(
    () => undefined,
    () => 'the SIP server is down',
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}
