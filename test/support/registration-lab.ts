import type { Test } from 'tap'
import { Registration } from '../../src/bridge/registration/registration.ts'
import type { RegisterConfig } from '../../src/config/types.ts'
import { createLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeRandom } from './fake-random.ts'
import { FakePort, type FakeSent } from './fake-sip-port.ts'

const CONFIG: RegisterConfig = {
  registrars: [uri('10.0.0.9'), uri('10.0.0.10')],
  username: 'causeway',
  authUsername: 'causeway',
  password: new Secret('pw'),
  expires: 300_000,
  contact: 'causeway',
}

function uri(host: string, transport: 'udp' | 'tcp' = 'udp') {
  return { uri: `sip:${host}`, host, port: undefined, transport }
}

/**
 * A registration by hand: its port, its clock, its log.
 *
 * @param keepsFlows whether the SIP server pings connections, as the embedded one does
 */
export function registrationLab(t: Test, change: Partial<RegisterConfig> = {}, keepsFlows = false) {
  const clock = new FakeClock()
  const port = new FakePort()
  const lines: { level: number; msg: string; err?: { code: string } }[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const own = { token: 'a'.repeat(32), instance: '9f2b' }
  const deps = { port, clock, random: new FakeRandom(), log, keepsFlows }
  const registration = new Registration('main', { ...CONFIG, ...change }, own, deps)
  const next = (): FakeSent => {
    const sent = port.sent.shift()
    if (!sent) throw new Error('nothing was sent')
    return sent
  }
  const quiet = (what: string): void => {
    t.equal(port.sent.length, 0, what)
  }
  const grant = (sent: FakeSent, seconds: number, headers = {}): void => {
    const contact = sent.header('contact')!.replace(/expires=\d+/, `expires=${seconds}`)
    sent.respond(200, 'OK', { headers: { contact, ...headers } })
  }
  const told = (): string[] => lines.splice(0).map(({ msg, err }) => err?.code ?? msg)
  return { clock, port, registration, next, quiet, grant, told }
}

/** One registrar instead of two. */
export const only = { registrars: [uri('10.0.0.9')] }

/** Registrars over TCP. */
export const overTcp = (...hosts: string[]) => ({
  registrars: hosts.map((host) => uri(host, 'tcp')),
})
