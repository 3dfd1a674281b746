import type { Config, NumberConfig } from '../config/types.ts'
import type { DesiredCalling } from './types.ts'

/** What the derivation of a number's settings needs of the configuration. */
export interface DesiredContext {
  /** `sip.domain`: the host name WhatsApp dials. */
  domain: string
  /** Port of the WhatsApp listener as seen from outside. */
  port: number
}

/** The context of a configuration; `listenPort` is the bound port when port 0 was asked for. */
export function desiredContext(config: Config, listenPort?: number): DesiredContext {
  return { domain: config.sip.domain, port: listenPort ?? config.sip.listen.whatsapp.port }
}

/**
 * Derives the desired `calling` object of a number from its configuration. Calling and SIP default
 * to ENABLED and the key exchange to SDES, the media path that is built; the SIP server follows
 * from `sip.domain` and the port. Everything else unspecified is left as it is on the number.
 */
export function desiredCalling(number: NumberConfig, context: DesiredContext): DesiredCalling {
  const { calling } = number
  const sip = calling.sip ?? {}
  const sipStatus = sip.status ?? 'ENABLED'
  return {
    status: calling.status ?? 'ENABLED',
    srtp_key_exchange_protocol: calling.srtp_key_exchange_protocol ?? 'SDES',
    sip: {
      status: sipStatus,
      webhook_delivery: sip.webhook_delivery,
      server:
        sipStatus === 'DISABLED'
          ? undefined
          : {
              hostname: context.domain,
              // The configuration repeats the port of the listener, which is 0 where the system chooses.
              port: sip.port || context.port,
              request_uri_user_params: sip.request_uri_user_params,
            },
    },
    additional_codecs: calling.audio?.additional_codecs,
  }
}
