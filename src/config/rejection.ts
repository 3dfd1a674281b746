/** Why a value was refused. It never quotes the value: that may have come from a secret variable. */
export class Rejection {
  /** What is wrong, as a clause: `the port is above 65535`. */
  readonly why: string
  /** What would be right, when more can be said than the key's general expectation. */
  readonly expected: string | undefined
  /** The value probably meant. Derived from the given one, so only shown for literal values. */
  readonly meant: string | undefined

  constructor(why: string, hints: { expected?: string; meant?: string | undefined } = {}) {
    this.why = why
    this.expected = hints.expected
    this.meant = hints.meant
  }
}
