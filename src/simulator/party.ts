/** Consumer and business identities are compared without the plus of E.164; a BSUID stays whole. */
export function withoutPlus(party: string): string {
  return party.startsWith('+') ? party.slice(1) : party
}
