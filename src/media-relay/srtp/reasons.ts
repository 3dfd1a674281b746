/** The tag is wrong: another key, or not from the peer at all. */
export const AUTH_FAILED = -1
/** The index was used before, or is more than 63 packets behind. */
export const REPLAYED = -2
/** Not an RTP or RTCP packet, or cut short, or no room behind it. */
export const MALFORMED = -3
