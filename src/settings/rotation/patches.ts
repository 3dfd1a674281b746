import { createHash } from 'node:crypto'
import type { NumberConfig } from '../../config/types.ts'
import type { Random } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'
import type { DesiredContext } from '../desired.ts'
import { ownServer } from '../servers.ts'
import type { CallingPatch, CallingSettings } from '../types.ts'
import type { RotationSnapshot } from './state.ts'

/** Switches calling and SIP off; the servers stay. */
export const DISABLE: CallingPatch = { status: 'DISABLED', sip: { status: 'DISABLED' } }

/**
 * Takes our server away with everything off, as the documentation words the request that drops the
 * password. Other apps' servers are not touched by it.
 */
export const CLEAR: CallingPatch = {
  status: 'DISABLED',
  sip: { status: 'DISABLED', servers: [] },
}

/**
 * What has to be as it was; undefined when the number has no server of ours. Port and user
 * parameters, which WhatsApp may leave out of what it reports, are then those of the configuration.
 */
export function snapshotOf(
  settings: CallingSettings,
  number: NumberConfig,
  { context, random }: { context: DesiredContext; random: Random },
): RotationSnapshot | undefined {
  const own = ownServer(settings, context.domain)
  if (!own) return undefined
  const configured = number.calling.sip ?? {}
  const { status, srtp_key_exchange_protocol: srtp, sip } = settings
  const salt = random.hex(8)
  const password = own.sip_user_password
  return {
    status: status ?? 'ENABLED',
    srtp,
    sipStatus: sip.status ?? 'ENABLED',
    webhookDelivery: sip.webhook_delivery,
    server: {
      hostname: own.hostname,
      port: own.port ?? (configured.port || context.port),
      params: own.request_uri_user_params ?? configured.request_uri_user_params,
    },
    oldPassword: password && { salt, hash: hashOf(password, salt) },
  }
}

/** Puts our server back while everything is still off. */
export function addPatch(before: RotationSnapshot): CallingPatch {
  return { ...srtpOf(before), sip: { ...sipOf(before), status: 'DISABLED' } }
}

/** Everything as it was, in one request: the server too, as the documentation has it. */
export function enablePatch(before: RotationSnapshot): CallingPatch {
  return { status: before.status, ...srtpOf(before), sip: sipOf(before) }
}

/** Whether a password differs from the one before; true when that one was not visible. */
export function isNew(password: Secret, { oldPassword }: RotationSnapshot): boolean {
  return !oldPassword || hashOf(password, oldPassword.salt) !== oldPassword.hash
}

function srtpOf({ srtp }: RotationSnapshot): CallingPatch {
  return srtp ? { srtp_key_exchange_protocol: srtp } : {}
}

function sipOf(before: RotationSnapshot): NonNullable<CallingPatch['sip']> {
  const { sipStatus, webhookDelivery, server } = before
  const { hostname, port, params } = server
  return {
    status: sipStatus,
    ...(webhookDelivery ? { webhook_delivery: webhookDelivery } : {}),
    servers: [{ hostname, port, ...(params ? { request_uri_user_params: params } : {}) }],
  }
}

/** WhatsApp makes the passwords, long and random: a salted hash of one gives nothing away. */
function hashOf(password: Secret, salt: string): string {
  return createHash('sha256').update(salt).update(password.reveal()).digest('hex').slice(0, 16)
}
