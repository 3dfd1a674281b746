import type { CallingSettings, SipServer } from './types.ts'

/** Port WhatsApp uses, and may leave out of the settings it reports. */
export const DEFAULT_SIP_PORT = 5061

/** Whether two host names are the same: case and a final dot do not matter (RFC 4343). */
export function sameHost(a: string, b: string): boolean {
  return normalHost(a) === normalHost(b)
}

/**
 * The server entry of our host name. When two apps stored the same name, the one whose password
 * the token may see.
 */
export function ownServer(settings: CallingSettings, hostname: string): SipServer | undefined {
  const ours = settings.sip.servers.filter((server) => sameHost(server.hostname, hostname))
  return ours.find((server) => server.sip_user_password) ?? ours[0]
}

/**
 * The entry our own app stored, whatever its host name: the one whose password a read with
 * credentials shows. Without any password the entry of our host name is taken for it.
 */
export function ownEntry(settings: CallingSettings, hostname: string): SipServer | undefined {
  const { servers } = settings.sip
  const shown = servers.filter((server) => server.sip_user_password)
  return (
    shown.find((server) => sameHost(server.hostname, hostname)) ??
    shown[0] ??
    ownServer(settings, hostname)
  )
}

/** Entries that are not our app's: other apps' servers, which only those apps can remove. */
export function foreignServers(settings: CallingSettings, hostname: string): SipServer[] {
  const own = ownEntry(settings, hostname)
  return settings.sip.servers.filter((server) => server !== own)
}

function normalHost(host: string): string {
  return host.trim().toLowerCase().replace(/\.$/, '')
}
