import { formatHostPort } from '../../shared/host-port.ts'
import type { PbxFile, PbxOptions, TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { attribute, comment, file, param } from './xml.ts'

const IN = '    '

/** The gateway of profile external: FreeSWITCH calls Causeway, and may register with it. */
export function gatewayFile(facts: TrunkFacts, names: Names, options: PbxOptions): PbxFile {
  const { causeway, transport, theirs, domain } = facts
  const registers = facts.mode === 'pbx-registers'
  const secure = transport === 'udp' ? '' : `;transport=${transport}`
  const params = [
    param(
      IN,
      'proxy',
      `${formatHostPort(causeway.host, causeway.port)}${secure}`,
      facts.guessed
        ? 'CHECK: Causeway listens on every address, so this is its name: generate with the option host for another'
        : 'Causeway: sip.listen.pbx',
    ),
    param(IN, 'realm', attribute(domain), 'Of every challenge of Causeway: sip.domain'),
    ...(theirs
      ? [
          param(
            IN,
            'username',
            attribute(theirs.username),
            'What Causeway asks for: accept of the trunk',
          ),
          param(IN, 'password', attribute(options.secret(theirs.password))),
        ]
      : []),
    param(
      IN,
      'register',
      String(registers),
      registers
        ? 'Causeway calls the address FreeSWITCH registers from'
        : 'No registration: each side knows where the other is',
    ),
    ...(registers
      ? [
          param(IN, 'register-transport', transport),
          param(IN, 'expire-seconds', String(facts.expires)),
          param(IN, 'retry-seconds', '30'),
        ]
      : []),
    param(
      IN,
      'caller-id-in-from',
      'true',
      'From is the caller: Causeway knows its business numbers by it',
    ),
    param(
      IN,
      'extension',
      'auto_to_user',
      'A call that comes to the gateway itself is for the number in To',
    ),
    param(IN, 'context', 'public'),
    param(
      IN,
      'ping',
      '30',
      'OPTIONS every so many seconds, which Causeway answers; "sofia status gateway" tells',
    ),
  ]
  return {
    name: names.file('sip_profiles/external'),
    about: 'the gateway',
    contents: file(
      [
        `Trunk ${facts.name} between Causeway and FreeSWITCH: the gateway. The stock profile external includes this folder;`,
        'after a change: sofia profile external rescan',
        ...(theirs
          ? ['It holds a password: mode 0600, owned by the user FreeSWITCH runs as.']
          : []),
      ],
      `  <gateway name="${names.gateway}">\n${params.join('\n')}\n  </gateway>`,
    ),
  }
}

/** A user of the directory: Causeway registers with FreeSWITCH. */
export function directoryFile(facts: TrunkFacts, names: Names, options: PbxOptions): PbxFile {
  const { ours } = facts
  const user = attribute(ours?.username ?? facts.name)
  return {
    name: names.file('directory/default'),
    about: 'the account Causeway registers with',
    contents: file(
      [
        `Trunk ${facts.name} between Causeway and FreeSWITCH: the account of Causeway (register of the trunk). The stock`,
        'directory includes this folder; after a change: reloadxml',
        'It holds a password: mode 0600, owned by the user FreeSWITCH runs as.',
      ],
      [
        `  <user id="${user}">`,
        '    <params>',
        `      <param name="password" value="${ours ? attribute(options.secret(ours.password)) : ''}"/>`,
        '    </params>',
        '    <variables>',
        comment('      ', 'Where calls of this account enter the dialplan: those from WhatsApp'),
        '      <variable name="user_context" value="public"/>',
        '    </variables>',
        '  </user>',
      ].join('\n'),
    ),
  }
}
