import { defineErrors } from './definition.ts'

/** Errors of the app area: the process, its HTTP interface and its command line. */
export const appErrors = defineErrors({
  APP_HTTP_LISTEN: {
    summary: 'the HTTP address cannot be bound',
    cause: 'Another program has the port, or the address is not on this machine.',
    fix: 'Change http.listen, or stop the other program.',
    owner: 'user',
    retryable: true,
  },
  APP_HTTP_LOOPBACK_ONLY: {
    summary: 'without a token the API answers on loopback only',
    cause: 'http.token is not configured, and the request came from another machine.',
    fix: 'Set http.token and send it as Authorization: Bearer.',
    owner: 'user',
    retryable: false,
  },
  APP_HTTP_UNAUTHORIZED: {
    summary: 'the API token is missing or wrong',
    cause: 'Everything under /api needs Authorization: Bearer with the configured http.token.',
    fix: 'Send the token from the configuration of the running instance.',
    owner: 'user',
    retryable: false,
  },
  APP_HTTP_BAD_REQUEST: {
    summary: 'the request cannot be understood',
    cause: 'A parameter is unknown or out of range, or the request is malformed or too large.',
    fix: 'Correct what the detail names; docs/reference/http.md lists the parameters.',
    owner: 'user',
    retryable: false,
  },
  APP_HTTP_NOT_FOUND: {
    summary: 'no such path',
    cause: 'The HTTP interface has no route of this method and path.',
    fix: 'See docs/reference/http.md for the paths.',
    owner: 'user',
    retryable: false,
  },
  APP_HTTP_FAILED: {
    summary: 'the request failed',
    cause: 'Causeway met an error while it answered.',
    fix: 'Look at the log line "http request failed" and report it.',
    owner: 'causeway',
    retryable: true,
  },
  APP_CALL_UNKNOWN: {
    summary: 'no such call',
    cause: 'The call never existed, has ended (DELETE), or was ended long ago and is forgotten.',
    fix: 'List the calls with causeway calls list, or GET /api/v1/calls.',
    owner: 'user',
    retryable: false,
  },
  APP_NUMBER_UNKNOWN: {
    summary: 'no such number',
    cause: 'No number of the configuration has this name.',
    fix: 'Use a name under numbers; GET /api/v1/numbers lists them.',
    owner: 'user',
    retryable: false,
  },
  APP_UNREACHABLE: {
    summary: 'no running instance answers',
    cause: 'Nothing listens on the configured http.listen, or it is another program.',
    fix: 'Start causeway up, or name the right configuration with -c.',
    owner: 'user',
    retryable: true,
  },
  APP_USAGE: {
    summary: 'the command line is wrong',
    cause: 'A verb, option or argument is unknown, missing or out of range.',
    fix: 'Correct what the detail names; causeway VERB --help lists options and arguments.',
    owner: 'user',
    retryable: false,
  },
  APP_INTERNAL: {
    summary: 'a fault of Causeway itself',
    cause: 'An error that nothing expected.',
    fix: 'Report it with the detail and what was being done.',
    owner: 'causeway',
    retryable: false,
  },
  APP_SIMULATOR_FOLDER: {
    summary: 'the simulator cannot write its certificates',
    cause: 'The folder of --folder cannot be made or written to by this user, or is a file.',
    fix: 'Choose another folder, or leave --folder out for a temporary one.',
    owner: 'user',
    retryable: false,
  },
  APP_SIMULATOR_LISTEN: {
    summary: 'the simulator cannot open a listener',
    cause:
      'Another program, often another simulator, has the port, or --host is not on this machine.',
    fix: 'Stop the other program, or choose ports with --graph-port, --sip-port and --control-port.',
    owner: 'user',
    retryable: true,
  },
})
