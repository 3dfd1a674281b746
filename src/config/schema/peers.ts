import { parseSipUri } from '../addresses.ts'
import { matching, text } from '../leaf.ts'

/** Where a PBX or a registrar is. */
export const sipUri = () =>
  text({ expected: 'a SIP URI such as sip:10.0.0.9:5060;transport=udp' }, parseSipUri)

/** A digest user name. */
export const username = () =>
  matching(/^[^\s"\\:@]{1,128}$/, {
    expected: 'a user name without blanks, quotes, colons and @',
    why: 'this is not a user name',
    quotable: true,
  })
