import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A list of networks in CIDR form, or everybody. An IPv4-mapped IPv6 address counts as IPv4. */
export class Networks {
  readonly #v4: [ipaddr.IPv4, number][] = []
  readonly #v6: [ipaddr.IPv6, number][] = []
  readonly #any: boolean

  /** @param list CIDRs or single addresses, checked by the configuration; or `any` */
  constructor(list: readonly string[] | 'any') {
    this.#any = list === 'any'
    for (const entry of list === 'any' ? [] : list) this.#add(entry)
  }

  /** Whether the address (IP literal) lies in one of the networks. */
  has(address: string): boolean {
    if (this.#any) return true
    const ip = read(address)
    if (!ip) return false
    if (ip.kind() === 'ipv4') return this.#v4.some((range) => (ip as ipaddr.IPv4).match(range))
    return this.#v6.some((range) => (ip as ipaddr.IPv6).match(range))
  }

  #add(entry: string): void {
    const [ip, bits] = entry.includes('/') ? ipaddr.parseCIDR(entry) : single(entry)
    if (ip.kind() === 'ipv4') this.#v4.push([ip as ipaddr.IPv4, bits])
    else this.#v6.push([ip as ipaddr.IPv6, bits])
  }
}

function single(entry: string): [Address, number] {
  const ip = ipaddr.parse(entry)
  return [ip, ip.kind() === 'ipv4' ? 32 : 128]
}

function read(address: string): Address | undefined {
  const bare = address.startsWith('[') ? address.slice(1, -1) : address
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined
}
