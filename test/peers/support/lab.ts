import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Simulator, startSimulator } from '../../../src/simulator/index.ts'
import { type Ari, connectAri } from './ari.ts'
import { type Asterisk, startAsterisk } from './asterisk.ts'
import { type Causeway, causewayPorts, startCauseway } from './causeway.ts'
import { configuration, DOMAIN, managedNumber } from './configuration.ts'
import { peersFolder } from './install.ts'

/** Simulator, Causeway and Asterisk, connected. */
export interface Lab {
  simulator: Simulator
  causeway: Causeway
  asterisk: Asterisk
  ari: Ari
  /** Business number whose calls go to an extension. */
  numberOf(extension: string): string
}

/**
 * Starts all three. There is one business number for each of `extensions`, whose calls Asterisk
 * gets at that extension; calls from Asterisk leave from the first.
 */
export async function startLab(t: Test, extensions: readonly string[]): Promise<Lab> {
  const numbers = extensions.map((extension, index) => ({
    extension,
    phoneNumberId: `10654035224294${index}`,
    phoneNumber: `+44163296012${index}`,
    accessToken: `token-${index}`,
    appId: 'app',
  }))
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const ports = await causewayPorts()
  const simulator = await startSimulator({
    numbers,
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
    // With relay: none the media is Asterisk's own, which breaks WhatsApp's rules freely.
    behaviour: { strict: false },
  })
  t.teardown(() => simulator.close())
  const asterisk = await startAsterisk({ peerPort: ports.pbx })
  t.teardown(() => asterisk.stop())
  const config = configuration({
    ports,
    pbxPort: asterisk.sipPort,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: numbers.map((number) =>
      managedNumber(number.extension, number, {
        listen: ports.whatsapp,
        inbound: { trunk: 'pbx', to: number.extension, ring_timeout: '4s' },
      }),
    ),
  })
  const causeway = await startCauseway({ ports, config })
  t.teardown(() => causeway.stop())
  await causeway.healthy()
  const ari = await connectAri(asterisk.ari, asterisk.credentials)
  t.teardown(() => ari.close())
  return {
    simulator,
    causeway,
    asterisk,
    ari,
    numberOf: (extension) => numbers.find((number) => number.extension === extension)!.phoneNumber,
  }
}
