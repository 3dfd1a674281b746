import { PBX_OUTPUT_USAGE, PBX_USAGE, runPbx } from '../pbx/run.ts'
import type { Verb } from '../verb.ts'

/** `causeway pbx freeswitch`: the other end of a trunk in FreeSWITCH. */
export const verb: Verb = {
  name: 'pbx freeswitch',
  summary: 'write the gateway and the dialplan for FreeSWITCH',
  usage: `Usage: causeway pbx freeswitch [--trunk NAME] [-o DIR] [options]

Writes what FreeSWITCH (mod_sofia, 1.10) needs for a trunk: the gateway or the
account Causeway registers with, the list of Causeway's addresses, what the
profile needs, and the dialplan both ways, in the folders of its stock
configuration. Nothing is contacted. Without -o the files are printed one after
the other, with passwords as [redacted].

Options:
${PBX_USAGE}
${PBX_OUTPUT_USAGE}

Exit codes: 0 done, 1 a file could not be written or was kept, 78 errors in the
configuration.

Examples:
  causeway pbx freeswitch | less
  causeway pbx freeswitch --trunk main -o /etc/freeswitch \\
    --extension 5000@default
`,
  run: (args, io) =>
    runPbx({ kind: 'freeswitch', name: 'FreeSWITCH', folder: '/etc/freeswitch' }, args, io),
}
