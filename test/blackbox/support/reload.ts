import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeCert } from '../../support/certificates.ts'
import { until } from '../../support/until.ts'
import { Causeway } from './causeway.ts'
import { DOMAIN, type Lab, SECRETS } from './lab.ts'

/** What came of a reload. */
export interface Result {
  ok: boolean
  applied: string[]
  restart: string[]
  errors: { code: string; place?: string }[]
}

export type Reload = (lab: Lab) => Promise<Result>

/** The ways to ask for a reload; each resolves with what came of it. */
export const SIGNAL: Reload = async (lab) => {
  // The log may still hold the line of the reload before: the time tells one from the next.
  const before = (await lastReload(lab))?.at
  lab.up.signal('SIGHUP')
  let last: (Result & { at: string }) | null = null
  await until('the reload of a SIGHUP', async () => {
    last = await lastReload(lab)
    return last !== null && last.at !== before
  })
  return last!
}

async function lastReload(lab: Lab): Promise<(Result & { at: string }) | null> {
  const response = await lab.http('/api/v1/reload')
  return ((await response.json()) as { last: (Result & { at: string }) | null }).last
}

export const REQUEST: Reload = async (lab) => {
  const response = await lab.http('/api/v1/reload', { method: 'POST' })
  return (await response.json()) as Result
}

export const COMMAND: Reload = async (lab) => {
  const token = join(lab.folder, 'token')
  writeFileSync(token, SECRETS.api)
  const run = new Causeway(['reload', '--url', lab.at.http, '--token-file', token, '--json'])
  await run.exited
  return JSON.parse(run.stdout) as Result
}

/** Files of the certificate that are not those of the start. */
export function newCertificate(lab: Lab, name: string): { cert: string; key: string } {
  const { cert, key } = makeCert({ ca: lab.ca, dns: [DOMAIN] })
  writeFileSync(join(lab.folder, `${name}.pem`), cert)
  writeFileSync(join(lab.folder, `${name}-key.pem`), key)
  return { cert: `${name}.pem`, key: `${name}-key.pem` }
}
