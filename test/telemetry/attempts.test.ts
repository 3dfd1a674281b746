import t from 'tap'
import type { LadderEntry } from '../../src/calls/index.ts'
import { attemptsOf } from '../../src/telemetry/attempts.ts'

/** `t dir what (note)` of the PBX leg, and one arrow of the other that must not matter. */
function ladder(...lines: string[]): LadderEntry[] {
  const other: LadderEntry = { t: 0, leg: 'whatsapp', dir: 'out', what: 'INVITE' }
  const entries = lines.map((line): LadderEntry => {
    const [, at, dir, what, note] = /^(\d+) (in|out) ([^(]+?)(?: \((.*)\))?$/.exec(line)!
    const entry = { t: Number(at), leg: 'pbx', dir: dir as 'in' | 'out', what: what! } as const
    return note === undefined ? entry : { ...entry, note }
  })
  return [other, ...entries]
}

t.test('one attempt for each target, with its challenge and its ringing', async (t) => {
  const none = {
    challenge: undefined,
    ringing: undefined,
    status: undefined,
    transfer: false,
    target: undefined,
  }
  for (const [name, lines, attempts] of [
    ['nothing', [], []],
    [
      'answered',
      [
        '5 out INVITE (sip:10.0.0.9:5060;transport=udp)',
        '6 in 100 Trying',
        '20 in 180 Ringing',
        '21 in 183 Session Progress',
        '90 in 200 OK',
        '91 out ACK',
      ],
      [
        {
          ...none,
          start: 5,
          end: 90,
          ringing: 20,
          status: 200,
          target: 'sip:10.0.0.9:5060;transport=udp',
        },
      ],
    ],
    [
      'challenged',
      [
        '5 out INVITE (sip:a)',
        '9 in 401 Unauthorized',
        '10 out INVITE (with credentials)',
        '30 in 200 OK',
      ],
      [
        {
          ...none,
          start: 5,
          end: 30,
          status: 200,
          target: 'sip:a',
          challenge: { status: 401, end: 10 },
        },
      ],
    ],
    [
      'challenged and refused for good',
      ['5 out INVITE (sip:a)', '9 in 407 Proxy Authentication Required'],
      [{ ...none, start: 5, end: 9, status: 407, target: 'sip:a' }],
    ],
    [
      'the next target',
      [
        '5 out INVITE (sip:a)',
        '505 in 503 no answer',
        '506 out INVITE (sip:b)',
        '600 in 486 Busy Here',
      ],
      [
        { ...none, start: 5, end: 505, status: 503, target: 'sip:a' },
        { ...none, start: 506, end: 600, status: 486, target: 'sip:b' },
      ],
    ],
    [
      'given up',
      ['5 out INVITE (sip:a)', '7 in 180 Ringing', '40 out CANCEL', '41 in 487 Request Terminated'],
      [{ ...none, start: 5, end: 40, ringing: 7, target: 'sip:a' }],
    ],
    ['still waiting at the end', ['5 out INVITE'], [{ ...none, start: 5, end: 1000 }]],
    [
      'a transfer, and a note with a user part',
      [
        '5 out INVITE (sip:a)',
        '6 in 200 OK',
        '700 out INVITE (transfer to sip:b:5060)',
        '701 in 200 OK',
        '800 out INVITE (sip:+441632960123@b)',
        '801 in 404 Not Found',
      ],
      [
        { ...none, start: 5, end: 6, status: 200, target: 'sip:a' },
        { ...none, start: 700, end: 701, status: 200, target: 'sip:b:5060', transfer: true },
        { ...none, start: 800, end: 801, status: 404 },
      ],
    ],
    ['answers to nothing', ['5 in 200 OK', '6 out CANCEL', '7 in BYE'], []],
  ] as const) {
    t.same(attemptsOf(ladder(...lines), 'pbx', 1000), attempts, name)
  }
})
