import { NgClient } from '../../media/rtpengine/client.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import type { DoctorContext } from '../context.ts'
import { fromError, pass, problem, worst } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** The media relay: the embedded one starts, or the rtpengines answer. */
export const relay: Check = {
  id: 'relay',
  area: 'Media',
  title: 'the media relay works',
  needs: [],
  async run(context) {
    const { config, instance } = context
    if (config.media.relay === 'none')
      return [
        pass('none: SDP is passed through, and the PBX itself must send first and never pause'),
      ]
    if (config.media.relay === 'rtpengine') return rtpengines(context)
    const running = (await instance.facts())?.checks.find(({ component }) => component === 'relay')
    if (!running) return [await embedded(context)]
    const { status, output } = running
    if (status === 'pass') return [pass(`of the running instance: ${output}`)]
    return [problem(status, 'MEDIA_RELAY_UNAVAILABLE', { evidence: output })]
  },
}

/** Starts a relay of our own and closes it. */
async function embedded({ config, clock, random, startRelay }: DoctorContext): Promise<Finding> {
  try {
    const relay = await startRelay(config.media, { clock, random })
    await relay.close()
    return pass('embedded: a worker starts and ends')
  } catch (error) {
    if (isCausewayError(error)) return fromError('fail', error)
    throw error
  }
}

async function rtpengines(context: DoctorContext): Promise<Finding[]> {
  const { rtpengine } = context.config.media
  const findings = await Promise.all(rtpengine.map((address) => ping(context, address)))
  // One that answers is enough for calls.
  const some = worst(findings.map(({ verdict }) => verdict)) === 'fail' && findings.some(isPass)
  return some
    ? findings.map((one) => (one.verdict === 'fail' ? { ...one, verdict: 'warn' } : one))
    : findings
}

async function ping({ clock, random }: DoctorContext, address: string): Promise<Finding> {
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const client = new NgClient(host, Number(url.port), { clock, random })
  try {
    await client.request('ping')
    return pass('answers ping', address)
  } catch (error) {
    const evidence = error instanceof Error ? error.message : String(error)
    return problem('fail', 'DOCTOR_RTPENGINE', { subject: address, evidence })
  } finally {
    client.close()
  }
}

function isPass({ verdict }: Finding): boolean {
  return verdict === 'pass'
}
