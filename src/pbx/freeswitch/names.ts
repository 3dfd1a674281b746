import type { TrunkFacts } from '../types.ts'

/** Names of the things of one trunk in FreeSWITCH, the same in every file. */
export interface Names {
  /** The gateway: `sofia/gateway/causeway-main/+44…`. */
  gateway: string
  /** The list of Causeway's addresses. */
  acl: string
  /** Profile of Sofia. */
  profile: 'external' | 'internal'
  /** Start of the trunk's global variables. */
  prefix: string
  /** Path of a file of the trunk in a folder. */
  file(folder: string): string
}

/** The names of a trunk. */
export function namesOf({ name, mode }: TrunkFacts): Names {
  return {
    gateway: `causeway-${name}`,
    acl: `causeway-${name}`,
    profile: mode === 'causeway-registers' ? 'internal' : 'external',
    prefix: `causeway_${name.replace(/\W/g, '_')}`,
    file: (folder) => `${folder}/causeway-${name}.xml`,
  }
}
