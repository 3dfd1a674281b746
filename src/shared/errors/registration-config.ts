import { defineErrors } from './definition.ts'

const mistake = { owner: 'user', retryable: false } as const

/** Contradictions of `register` and `accept.registrations`. */
export const registrationConfigErrors = defineErrors({
  CONFIG_REGISTRATIONS_OPEN: {
    summary: 'registrations are taken without credentials',
    cause: 'Anybody could register, and would be called: accept.username and password are missing.',
    fix: 'Set accept.username and accept.password, and the same account in the PBX.',
    ...mistake,
  },
  CONFIG_REGISTRATIONS_SHARED: {
    summary: 'two trunks take calls of the same user name',
    cause: 'A REGISTER is told by its user name, so that one of the trunks would never be reached.',
    fix: 'Give each trunk an accept.username of its own.',
    ...mistake,
  },
  CONFIG_REGISTER_EXPIRES: {
    summary: 'this lifetime of a registration makes no sense',
    cause: 'A shorter one floods the registrar, a longer one is not granted anywhere.',
    fix: 'Set register.expires from 10s to 24h; 300s suits most.',
    ...mistake,
  },
  CONFIG_REGISTER_TWICE: {
    summary: 'two trunks register the same user at the same registrar',
    cause: 'The PBX calls both contacts for each call, and the slower trunk’s call is cancelled.',
    fix: 'Give each trunk an account of its own in the PBX.',
    ...mistake,
  },
  CONFIG_REGISTER_TRANSPORT: {
    summary: 'no listener for the PBX has the transport of the registrar',
    cause: 'Requests leave from a listener of the same transport, and the PBX calls that listener.',
    fix: 'Add a listener of this transport to sip.listen.pbx, or change the transport of the URI.',
    ...mistake,
  },
})
