/**
 * Fills the `{places}` of a template. An unknown one stays as written: the configuration has been
 * checked before.
 */
export function fillTemplate(template: string, places: Readonly<Record<string, string>>): string {
  return template.replace(/\{([a-z:]+)\}/g, (all, name: string) =>
    Object.hasOwn(places, name) ? places[name]! : all,
  )
}

/** Digits of `+E.164`; a BSUID as it is. */
export function withoutPlus(party: string): string {
  return party.startsWith('+') ? party.slice(1) : party
}
