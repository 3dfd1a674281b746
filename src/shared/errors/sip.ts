import { defineErrors } from './definition.ts'

/** Errors of the sip area; every code starts with `SIP_`. */
export const sipErrors = defineErrors({
  SIP_HEADER_INJECTION: {
    summary: 'A SIP header would break the message',
    cause:
      'A header name is no token, or its value holds a line break or NUL, which would add headers nobody asked for.',
    fix: 'Remove line breaks from the value where it is configured or produced, and use a valid header name.',
    owner: 'user',
    retryable: false,
    sip: 500,
    q850: 111,
  },
  SIP_LISTEN_FAILED: {
    summary: 'A SIP listener could not be opened',
    cause:
      'The address is not one of this machine, the port is taken, or it needs more privileges.',
    fix: 'Correct `sip.listen`, or stop the program that holds the port.',
    owner: 'user',
    retryable: false,
  },
  SIP_NO_TRANSPORT: {
    summary: 'No SIP listener can reach the target',
    cause: 'The target asks for a transport or an address family that no listener has.',
    fix: 'Add a listener of that transport and address family to `sip.listen`, or change the target URI.',
    owner: 'user',
    retryable: false,
    sip: 503,
    q850: 38,
  },
  SIP_CONNECT_FAILED: {
    summary: 'No connection to the SIP peer could be made',
    cause: 'The peer refused the connection, did not answer in time or cannot be routed to.',
    fix: 'Check that the peer listens on that address and port and that no firewall is in between.',
    owner: 'pbx',
    retryable: true,
    sip: 503,
    q850: 38,
  },
  SIP_SEND_FAILED: {
    summary: 'A SIP message could not be sent',
    cause: 'The operating system refused the datagram, or the connection broke while writing.',
    fix: 'Check routing and firewall of this machine; use TCP or TLS for messages of more than 64 KiB.',
    owner: 'causeway',
    retryable: true,
    sip: 503,
    q850: 41,
  },
  SIP_CONNECTION_CLOSED: {
    summary: 'The SIP connection closed before the message was sent',
    cause: 'The peer closed the connection, or Causeway is shutting down.',
    fix: 'Look at the log of the peer for the reason; the next request opens a new connection.',
    owner: 'pbx',
    retryable: true,
    sip: 503,
    q850: 41,
  },
  SIP_PEER_NOT_READING: {
    summary: 'A SIP peer does not read from its connection',
    cause: 'Messages queued for the connection exceeded the bound, so the connection was closed.',
    fix: 'Check the load and the state of the peer.',
    owner: 'pbx',
    retryable: true,
    sip: 503,
    q850: 42,
  },
  SIP_CONNECTION_LIMIT: {
    summary: 'A SIP connection was refused: too many are open',
    cause: 'The number of connections reached its bound, by load or by an attack.',
    fix: 'Restrict who can reach the listener with a firewall.',
    owner: 'user',
    retryable: true,
    sip: 503,
    q850: 42,
  },
  SIP_TLS_VERIFY_FAILED: {
    summary: 'The TLS certificate of the SIP peer does not verify',
    cause:
      'The certificate is expired, does not cover the domain, or its issuer is not trusted (RFC 5922).',
    fix: 'Give the peer a certificate for its domain with the complete chain, or add its issuer to `whatsapp.ca`.',
    owner: 'pbx',
    retryable: false,
    sip: 503,
    q850: 38,
  },
  SIP_TLS_HANDSHAKE_FAILED: {
    summary: 'The TLS handshake with the SIP peer failed',
    cause:
      'The peer aborted the handshake: no common TLS version or cipher, it does not trust our certificate, or it does not speak TLS on that port.',
    fix: 'Check the port and the TLS settings of the peer; the detail names the alert it sent.',
    owner: 'pbx',
    retryable: true,
    sip: 503,
    q850: 38,
  },
  SIP_CERTIFICATE_UNUSABLE: {
    summary: 'The TLS certificate or key cannot be used',
    cause:
      'A file is missing or unreadable, is not PEM, or the key does not belong to the certificate.',
    fix: 'Correct the files named by `sip.tls`; a running listener keeps the certificate it has.',
    owner: 'user',
    retryable: false,
  },
  SIP_DNS_FAILED: {
    summary: 'The name of the SIP target does not resolve',
    cause: 'Neither NAPTR, SRV nor address records were found, or no DNS server answered.',
    fix: 'Check the spelling of the host and the DNS servers of this machine.',
    owner: 'user',
    retryable: true,
    sip: 503,
    q850: 3,
  },
})
