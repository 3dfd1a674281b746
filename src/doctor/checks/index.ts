import type { Check } from '../types.ts'
import { calling } from './calling.ts'
import { certificate } from './certificate.ts'
import { configuration } from './configuration.ts'
import { credentials } from './credentials.ts'
import { dns } from './dns.ts'
import { instance } from './instance.ts'
import { country, limit } from './limits.ts'
import { listener } from './listener.ts'
import { clock, disk, openFiles } from './machine.ts'
import { mediaAddress, mediaPorts, udp } from './media.ts'
import { pbx } from './pbx.ts'
import { registration } from './registration.ts'
import { relay } from './relay.ts'
import { callButton, restrictions } from './restrictions.ts'
import { keyExchange, settings, sipServer } from './settings.ts'
import { token } from './token.ts'
import { codecs, trunkSrtp } from './trunk-media.ts'
import { webhooks } from './webhooks.ts'
import { whatsappTls } from './whatsapp-tls.ts'

/** Every check, in the order of the report. */
export const checks: readonly Check[] = [
  configuration,
  instance,
  clock,
  disk,
  openFiles,
  dns,
  certificate,
  listener,
  token,
  calling,
  settings,
  sipServer,
  keyExchange,
  limit,
  country,
  restrictions,
  callButton,
  webhooks,
  whatsappTls,
  credentials,
  pbx,
  registration,
  codecs,
  trunkSrtp,
  relay,
  mediaAddress,
  mediaPorts,
  udp,
]
