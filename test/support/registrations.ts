import type { RegistrationsStatus } from '../../src/bridge/index.ts'

/** A trunk that is registered both ways, as the bridge reports it. */
export function registrationsOf(trunk: string): RegistrationsStatus {
  return {
    ours: [
      {
        trunk,
        state: 'registered',
        registrar: 'sip:10.0.0.10',
        registrars: [
          { uri: 'sip:10.0.0.9', registered: false },
          { uri: 'sip:10.0.0.10', registered: true },
        ],
        username: 'causeway',
        expiresAt: 1_700_000_300_000,
        nextAt: 1_700_000_240_000,
        error: undefined,
        attempts: { registered: 3, refused: 0, unreachable: 1, failed: 0 },
        flowFailures: 2,
      },
    ],
    contacts: [
      {
        trunk,
        contacts: [
          {
            uri: 'sip:pbx@192.168.1.2:5060',
            q: 0.5,
            expiresAt: 1_700_000_600_000,
            since: 1_700_000_000_000,
            callId: 'c',
            cseq: 1,
            source: { address: '198.51.100.7', port: 1024, transport: 'udp' },
            path: [],
            flow: undefined,
            userAgent: 'Asterisk',
          },
        ],
      },
    ],
    requests: [{ trunk, result: 'registered', count: 1 }],
  }
}
