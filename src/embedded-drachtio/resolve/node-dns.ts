import { lookup, Resolver } from 'node:dns/promises'
import type { DnsPort } from './types.ts'

/**
 * DNS by Node: the machine's servers, or the given ones (`192.0.2.53`, `192.0.2.53:5353`). A server
 * that does not answer is asked twice, for about three seconds in all.
 */
export function nodeDns(servers?: string[]): DnsPort {
  const resolver = new Resolver({ timeout: 1000, tries: 2 })
  if (servers) resolver.setServers(servers)
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
