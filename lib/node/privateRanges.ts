import { BlockList, isIP } from "node:net";

// IANA's special-purpose IPv4 blocks, multicast, and the one public address that a cloud uses for its metadata service.
const refusedV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["168.63.129.16", 32],
];

// Inside global unicast 2000::/3, the only IPv6 space that is dialled: protocol assignments (Teredo), documentation, 6to4.
const refusedV6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const v4 = new BlockList();
for (const [net, bits] of refusedV4) v4.addSubnet(net, bits, "ipv4");
const mapped = new BlockList();
mapped.addSubnet("::ffff:0:0", 96, "ipv6");
const global = new BlockList();
global.addSubnet("2000::", 3, "ipv6");
const v6 = new BlockList();
for (const [net, bits] of refusedV6) v6.addSubnet(net, bits, "ipv6");

/**
 * Whether an IP address (no brackets) is a public one. Everything that is not known to be public counts as private: loopback,
 * private and shared networks, link-local and metadata services, multicast, translated and tunnelled IPv6, and what is no address.
 */
export function isPublicAddress(ip: string): boolean {
  const family = isIP(ip);
  if (family === 4) return !v4.check(ip, "ipv4");
  if (family !== 6 || ip.includes("%")) return false;
  if (mapped.check(ip, "ipv6")) return !v4.check(ip, "ipv6");
  return global.check(ip, "ipv6") && !v6.check(ip, "ipv6");
}
