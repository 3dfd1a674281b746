import type {
  DnsPort,
  NaptrRecord,
  SrvRecord,
} from '../../../src/embedded-drachtio/resolve/index.ts'

/** Zone contents by name. */
export interface Zone {
  naptr?: Record<string, NaptrRecord[]>
  srv?: Record<string, SrvRecord[]>
  a?: Record<string, string[]>
  aaaa?: Record<string, string[]>
  hosts?: Record<string, string[]>
}

/** DNS from tables. `asked` lists the queries; names in `broken` get no answer. */
export class FakeDns implements DnsPort {
  readonly asked: string[] = []
  readonly broken = new Set<string>()
  zone: Zone
  ttl = 300

  constructor(zone: Zone) {
    this.zone = zone
  }

  naptr(name: string): Promise<NaptrRecord[]> {
    return this.#answer('naptr', name, this.zone.naptr?.[name])
  }

  srv(name: string): Promise<SrvRecord[]> {
    return this.#answer('srv', name, this.zone.srv?.[name])
  }

  async a(name: string): Promise<{ address: string; ttl: number }[]> {
    const addresses = await this.#answer('a', name, this.zone.a?.[name])
    return addresses.map((address) => ({ address, ttl: this.ttl }))
  }

  async aaaa(name: string): Promise<{ address: string; ttl: number }[]> {
    const addresses = await this.#answer('aaaa', name, this.zone.aaaa?.[name])
    return addresses.map((address) => ({ address, ttl: this.ttl }))
  }

  lookup(name: string): Promise<string[]> {
    return this.#answer('lookup', name, this.zone.hosts?.[name])
  }

  async #answer<T>(type: string, name: string, records: T[] | undefined): Promise<T[]> {
    this.asked.push(`${type} ${name}`)
    if (this.broken.has(name)) throw new Error(`no answer for ${name}`)
    return [...(records ?? [])]
  }
}

/** `SIP+D2U 20 50 _sip._udp.example.com` in the order the fields are told apart by. */
export function naptr(
  order: number,
  preference: number,
  service: string,
  replacement: string,
  flags = 's',
): NaptrRecord {
  return { order, preference, flags, service, regexp: '', replacement }
}

export function srv(priority: number, weight: number, port: number, name: string): SrvRecord {
  return { priority, weight, port, name }
}
