/** What makes WhatsApp's SIP side recognisable on the wire. */

/** The only domain of WhatsApp; consumers are its users. */
export const DOMAIN = 'wa.meta.vc'
export const ALLOW = 'INVITE, ACK, BYE, CANCEL, NOTIFY, OPTIONS'
export const USER_AGENT = 'Facebook SipGateway'

/** The two proxies of WhatsApp, as its own requests record them. */
export const RECORD_ROUTES = [
  '<sip:wa.meta.vc;transport=tls;lr>',
  '<sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
] as const

/** Contact parameter seen in answers to business-initiated calls. */
export const ANSWER_TIER = 'X-FB-Sip-Smc-Tier=collaboration.sip_gateway.sip.prod'

/** Reason of the BYE for lack of media. */
export const MEDIA_LOSS =
  'SIP;cause=500;text="WhatsApp client terminated the call due to not receiving any media for a long time."'

/** Reason of the BYE when the business's media breaks a rule: this simulator's own words. */
export function mediaBroken(text: string): string {
  return `SIP;cause=500;text="${text.replace(/["\\\r\n]/g, '')}"`
}

/** Reason of the CANCEL when nobody answers. */
export const NO_ANSWER = 'Q.850;cause=19;text="NO_ANSWER"'

/** Texts of refusals: the reason phrase, repeated in `Warning: 399`. */
export const texts = {
  unknownNumber: 'Asset not found, invalid business phone number',
  noPermission: 'No Approved Call Permission Found: No approved call permission from the recipient',
  dailyLimit: 'Business Initiated Connected Call Per Day Limit Hit',
  declined: 'User declined the call',
  wrongServer: (domain: string, id: string) =>
    `SIP server ${domain} from INVITE does not match any SIP server configured for phone number id ${id}`,
  notAuthorized: (app: string, host: string, id: string) =>
    `The app ${app} configured for SIP server ${host} is not authorized for phone number id ${id}`,
  // The texts below are not published; their conditions are.
  badDigest: 'Forbidden: digest verification failed',
  digestUser: 'Forbidden: digest username does not match the business phone number',
  callingDisabled: (id: string) => `Calling is not enabled for phone number id ${id}`,
  restricted: 'Business initiated calling is restricted for this phone number',
  unavailable: 'Business initiated calling is not available for this phone number',
  duplicate: 'Duplicate call: a call with this user is already in progress',
} as const
