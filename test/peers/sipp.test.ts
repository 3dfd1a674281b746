import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { labCertificates } from './support/certificates.ts'
import { configuration, DOMAIN } from './support/configuration.ts'
import { peersFolder } from './support/install.ts'
import { freePort } from './support/ports.ts'
import { type SippResult, startSipp } from './support/sipp.ts'
import { longestStall } from './support/stalls.ts'

const CALLS = 500
/** Milliseconds of standing still after which T1, 500 ms, may have passed for somebody (RFC 3261 §17.1.1.2). */
const STALL = 250
const NUMBER = '+441632960123'
const PASSWORD = 's3cretS3cretS3cretS3cretS3cret12'
const load = ['-r', '50', '-m', String(CALLS), '-d', '1000', '-recv_timeout', '15000']
/** A callee ends by itself after the last BYE, which may come after the caller's 200. */
const callee = ['-m', String(CALLS), '-timeout', '60s']
const scenario = (name: string): string => join(import.meta.dirname, 'sipp', `${name}.xml`)
const keys = { domain: DOMAIN, username: NUMBER.slice(1), password: PASSWORD }

/** Causeway between a PBX port and a TLS port that stands for wa.meta.vc, both still free. */
async function setUp(t: Test) {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  const { own, whatsapp, caFile } = labCertificates(folder)
  const ports = await causewayPorts()
  const pbxPort = await freePort()
  const whatsappPort = await freePort()
  const tls = { cert: own.cert, key: own.key, ca: caFile }
  const number = {
    name: 'support',
    phone_number: NUMBER,
    phone_number_id: '106540352242922',
    manage: 'off',
    sip_password: PASSWORD,
    inbound: { trunk: 'pbx' },
  }
  const config = configuration({ ports, pbxPort, whatsappPort, tls, numbers: [number] })
  const causeway = await startCauseway({ ports, config })
  t.teardown(async () => {
    await causeway.stop()
    rmSync(folder, { recursive: true })
  })
  const tlsArgs = ['-t', 'l1', '-tls_cert', whatsapp.cert, '-tls_key', whatsapp.key]
  return { causeway, pbxPort, whatsappPort, tlsArgs, caFile }
}

/** Every call succeeded, nothing came that the scenario does not foresee, nothing was sent twice. */
function flawless(t: Test, name: string, result: SippResult, since: number): void {
  const { succeeded, failed, unexpected, retransmissions } = result
  t.same({ succeeded, failed, unexpected }, { succeeded: CALLS, failed: 0, unexpected: 0 }, name)
  sentOnce(t, name, retransmissions, since)
  if (failed + unexpected > 0) t.comment(result.errors)
}

/** Nothing is sent again, unless the machine stood still. */
function sentOnce(t: Test, name: string, retransmissions: number, since: number): void {
  const stall = longestStall(since)
  const found = `${name}: ${retransmissions} messages sent again`
  if (stall > STALL) t.comment(`${found}; this machine stood still for ${Math.round(stall)} ms`)
  else t.equal(retransmissions, 0, found)
}

/** Nothing of the calls is left once the last transaction timer (64·T1, RFC 3261 §17) has fired. */
async function nothingLeft(
  t: Test,
  causeway: Causeway,
  direction: string,
  since: number,
): Promise<void> {
  const names = [
    'causeway_calls_active{direction="user-initiated"}',
    'causeway_calls_active{direction="business-initiated"}',
    'causeway_sip_dialogs',
    'causeway_sip_timers',
    'causeway_sip_transactions{side="client"}',
    'causeway_sip_transactions{side="server"}',
    'causeway_sip_incoming_pending',
    'causeway_sip_invites_pending',
  ]
  const deadline = performance.now() + 45_000
  let left: (readonly [string, number | undefined])[]
  do {
    const metrics = await causeway.metrics()
    left = names
      .map((name) => [name, metrics.get(name)] as const)
      .filter(([, value]) => value !== 0)
    if (left.length > 0) await sleep(500)
  } while (left.length > 0 && performance.now() < deadline)
  t.same(left, [], 'metrics are back to 0')
  const metrics = await causeway.metrics()
  const started = metrics.get(`causeway_calls_started_total{direction="${direction}"}`)
  t.equal(started, CALLS, 'every call was counted once')
  const again = metrics.get('causeway_sip_retransmissions_total{direction="out",kind="request"}')
  sentOnce(t, 'Causeway', again ?? 0, since)
}

t.test('500 calls at 50/s from WhatsApp over TLS to the PBX over UDP', async (t) => {
  const { causeway, pbxPort, tlsArgs } = await setUp(t)
  const since = Date.now()
  const pbx = await startSipp({ scenario: scenario('pbx-callee'), port: pbxPort, args: callee })
  const whatsapp = await startSipp({
    scenario: scenario('whatsapp-caller'),
    port: await freePort(),
    target: `127.0.0.1:${causeway.ports.whatsapp}`,
    keys,
    args: [...tlsArgs, ...load, '-s', NUMBER, '-cid_str', 'outgoing:wacid.%u-%p@%s'],
  })
  flawless(t, 'WhatsApp', await whatsapp.done(), since)
  flawless(t, 'PBX', await pbx.done(), since)
  await nothingLeft(t, causeway, 'user-initiated', since)
})

t.test('500 calls at 50/s from the PBX over UDP to WhatsApp over TLS', async (t) => {
  const { causeway, whatsappPort, tlsArgs } = await setUp(t)
  const since = Date.now()
  const whatsapp = await startSipp({
    scenario: scenario('whatsapp-callee'),
    port: whatsappPort,
    args: [...tlsArgs, ...callee],
  })
  const pbx = await startSipp({
    scenario: scenario('pbx-caller'),
    port: await freePort(),
    target: `127.0.0.1:${causeway.ports.pbx}`,
    args: load,
  })
  flawless(t, 'PBX', await pbx.done(), since)
  flawless(t, 'WhatsApp', await whatsapp.done(), since)
  await nothingLeft(t, causeway, 'business-initiated', since)
})
