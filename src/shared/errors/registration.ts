import { defineErrors } from './definition.ts'

/** Of our registration with the PBX, and of the PBX’s with us (TRUNK_REGISTRAR_). */
export const registrationErrors = defineErrors({
  TRUNK_REGISTER_REFUSED: {
    summary: 'the PBX refuses our registration',
    cause:
      'User name or password are wrong, the account is unknown or locked, or not allowed here.',
    fix: 'Make trunks[].register equal to the account in the PBX; it is tried again by itself, rarely.',
    owner: 'user',
    retryable: false,
  },
  TRUNK_REGISTER_CHALLENGE: {
    summary: 'the PBX asks for a digest that is not supported',
    cause: 'Its challenge names neither MD5 nor SHA-256, or asks for integrity (auth-int).',
    fix: 'Let the PBX challenge with MD5 or SHA-256 and qop="auth".',
    owner: 'pbx',
    retryable: false,
  },
  TRUNK_REGISTER_UNREACHABLE: {
    summary: 'no registrar of the trunk can be reached',
    cause: 'None of them answered the REGISTER, or the name cannot be resolved.',
    fix: 'Check register.registrar, the network and that the PBX runs; it is tried again by itself.',
    owner: 'pbx',
    retryable: true,
  },
  TRUNK_REGISTER_FAILED: {
    summary: 'the registrar failed',
    cause: 'The PBX answered the REGISTER with a server error, or asked to come back later.',
    fix: 'Look at the log of the PBX; it is tried again by itself.',
    owner: 'pbx',
    retryable: true,
  },
  TRUNK_REGISTER_FLOW_FAILED: {
    summary: 'the connection to the registrar failed',
    cause:
      'The PBX or something on the way closed it, or no pong came to a keepalive (RFC 5626). Calls of the PBX do not arrive until it is registered again.',
    fix: 'Nothing when it is rare: it is registered again over a new connection by itself. If it repeats, look for a firewall or NAT that ends idle connections, and at the log of the PBX.',
    owner: 'pbx',
    retryable: true,
  },
  TRUNK_NOT_REGISTERED: {
    summary: 'the PBX is not registered',
    cause:
      'It never registered here, its registration or its connection ended, or it unregistered.',
    fix: 'Check the registration in the PBX (address, accept.username, password) and its log.',
    owner: 'pbx',
    retryable: true,
  },
  TRUNK_REGISTRAR_CREDENTIALS_WRONG: {
    summary: 'a REGISTER with wrong credentials',
    cause: 'User name or password differ from accept.username and accept.password.',
    fix: 'Make the account in the PBX equal to trunks[].accept.',
    owner: 'user',
    retryable: false,
    sip: 403,
    q850: 21,
  },
  TRUNK_REGISTRAR_SOURCE_BRAKED: {
    summary: 'a REGISTER from an address with too many wrong passwords',
    cause:
      'Several wrong digests came from it within a minute; for the rest of it none is looked at.',
    fix: 'Correct the password in the PBX and wait a minute; block the address if it is not yours.',
    owner: 'user',
    retryable: true,
    sip: 403,
    q850: 21,
  },
  TRUNK_REGISTRAR_ADDRESS_UNKNOWN: {
    summary: 'a REGISTER for an address of record that is not this user’s',
    cause: 'The user part of To is not the user name of the credentials.',
    fix: 'Let the PBX register the address sip:<accept.username>@<sip.domain>.',
    owner: 'user',
    retryable: false,
    sip: 404,
    q850: 1,
  },
  TRUNK_REGISTRAR_REQUEST_BAD: {
    summary: 'a REGISTER that cannot be understood',
    cause:
      'A Contact is no SIP URI, * stands beside another or without Expires: 0, or CSeq is missing.',
    fix: 'Look at the detail and at the PBX.',
    owner: 'pbx',
    retryable: false,
    sip: 400,
    q850: 127,
  },
  TRUNK_REGISTRAR_OUT_OF_ORDER: {
    summary: 'a REGISTER that is older than the last one',
    cause: 'Call-ID and CSeq say that it was sent before the one that made the binding.',
    fix: 'Nothing, the newer one counts; if it repeats, the PBX does not raise CSeq.',
    owner: 'pbx',
    retryable: true,
    sip: 500,
    q850: 127,
  },
  TRUNK_REGISTRAR_INTERVAL_BRIEF: {
    summary: 'the registration is shorter than allowed',
    cause: 'The PBX asked for less than a minute.',
    fix: 'Nothing, the PBX asks again for Min-Expires; else set its expiry to 60 s or more.',
    owner: 'pbx',
    retryable: true,
    sip: 423,
    q850: 127,
  },
  TRUNK_REGISTRAR_CONTACTS_FULL: {
    summary: 'too many contacts are registered for the trunk',
    cause: 'The PBX registers a new Contact each time, or several PBXs share one account.',
    fix: 'Let the PBX keep its Contact, or wait until the old ones have expired.',
    owner: 'pbx',
    retryable: true,
    sip: 403,
    q850: 47,
  },
})
