import { lookup, Resolver } from 'node:dns/promises'
import type { DnsPort } from './types.ts'

/** The DNS servers of the machine, by Node. Waits at most about four seconds for an answer. */
export function nodeDns(): DnsPort {
  const resolver = new Resolver({ timeout: 1000, tries: 2 })
  return {
    naptr: (name) => existing(resolver.resolveNaptr(name)),
    srv: (name) => existing(resolver.resolveSrv(name)),
    a: (name) => existing(resolver.resolve4(name, { ttl: true })),
    aaaa: (name) => existing(resolver.resolve6(name, { ttl: true })),
    lookup: async (name) => {
      const answers = await existing(lookup(name, { all: true }))
      return answers.map(({ address }) => address)
    },
  }
}

async function existing<T>(answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // EBADRESP and EBADNAME: what the name leads to is unusable, now and at the next try.
    if (code && ['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EBADRESP'].includes(code)) return []
    throw error
  }
}
