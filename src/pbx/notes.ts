import type { PbxOptions, TrunkFacts } from './types.ts'

/** What was assumed for want of knowledge, and what does not fit together, a sentence each. */
export function notesOf(trunks: readonly TrunkFacts[], options: PbxOptions): string[] {
  return trunks.flatMap((facts) =>
    [...assumed(facts, options), ...contradictions(facts)].map(
      (text) => `trunk ${facts.name}: ${text}`,
    ),
  )
}

function assumed(facts: TrunkFacts, { extension }: PbxOptions): string[] {
  const notes = [`calls from WhatsApp go to ${extension} of the PBX; --extension names another`]
  if (facts.guessed) {
    notes.push(
      `sip.listen.pbx is every address, so the PBX is told ${facts.causeway.host}; --host names the one it reaches`,
    )
  }
  if (facts.caller === undefined) {
    notes.push('outbound.number is not set: the PBX must call from a business number')
  }
  return notes
}

function contradictions({ srtp, transport, mode, theirs, shared }: TrunkFacts): string[] {
  const notes: string[] = []
  if (srtp === 'sdes' && transport !== 'tls') {
    notes.push(`the keys of media.srtp sdes travel in the clear over ${transport}; prefer TLS`)
  }
  if (mode === 'address' && shared) {
    notes.push(
      'another trunk has the same PBX, which cannot tell both by their address; use register',
    )
  }
  if (mode === 'pbx-registers' && !theirs) {
    notes.push(
      'accept.registrations without accept.username and accept.password: nobody can register',
    )
  }
  return notes
}
