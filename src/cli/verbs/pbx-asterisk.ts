import { PBX_OUTPUT_USAGE, PBX_USAGE, runPbx } from '../pbx/run.ts'
import type { Verb } from '../verb.ts'

/** `causeway pbx asterisk`: the other end of a trunk in Asterisk. */
export const verb: Verb = {
  name: 'pbx asterisk',
  summary: 'write the trunk and the dialplan for Asterisk',
  usage: `Usage: causeway pbx asterisk [--trunk NAME] [-o DIR] [options]

Writes what Asterisk (chan_pjsip, 18 to 22) needs for a trunk: transports, the
endpoint with its codecs, SRTP and accounts, its address or registration, and
the dialplan both ways. Every line that matters says why. Nothing is contacted.
Without -o the files are printed one after the other, with passwords as
[redacted].

Options:
${PBX_USAGE}
      --transport NAME  a transport Asterisk has already; default: one is
                        written
      --cert FILE, --key FILE, --ca FILE
                      PEM files as Asterisk sees them, for TLS: its
                      certificate, its key, and the authority of Causeway's
                      certificate
${PBX_OUTPUT_USAGE}

Exit codes: 0 done, 1 a file could not be written or was kept, 78 errors in the
configuration.

Examples:
  causeway pbx asterisk | less
  causeway pbx asterisk --trunk main -o /etc/asterisk --extension 600@ivr
`,
  run: (args, io) =>
    runPbx({ kind: 'asterisk', name: 'Asterisk', folder: '/etc/asterisk' }, args, io),
}
