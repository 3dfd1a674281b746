import ipaddr from 'ipaddr.js'

/** Both ends of a packet as octets, of one family. */
export interface PacketAddresses {
  family: 4 | 6
  source: Uint8Array
  destination: Uint8Array
}

/** Octets of two IP literals; IPv4 becomes IPv4-mapped IPv6 where only one of them is IPv4. */
export function packetAddresses(source: string, destination: string): PacketAddresses {
  const [from, to] = [parse(source), parse(destination)]
  if (from.kind() === 'ipv4' && to.kind() === 'ipv4') {
    return { family: 4, source: octets(from), destination: octets(to) }
  }
  return { family: 6, source: mapped(from), destination: mapped(to) }
}

/** What is no address is the unspecified one: a picture of a message must not fail for it. */
function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const bare = address.split('%')[0]!
  return ipaddr.process(ipaddr.isValid(bare) ? bare : '0.0.0.0')
}

function octets(address: ipaddr.IPv4 | ipaddr.IPv6): Uint8Array {
  return Uint8Array.from(address.toByteArray())
}

function mapped(address: ipaddr.IPv4 | ipaddr.IPv6): Uint8Array {
  return octets(address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address)
}
