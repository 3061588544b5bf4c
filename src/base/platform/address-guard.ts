import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';

/** The address is not one on the public Internet, and who is called may not be elsewhere. */
export class ForbiddenAddress extends Error {
  constructor(readonly address: string) {
    super(`${address} is not a public address`);
  }
}

/** IANA IPv4 Special-Purpose Address Registry, multicast, and one cloud metadata address that looks public. */
const CLOSED_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;

/**
 * Everything outside global unicast 2000::/3 (so loopback, unique local, link-local, multicast, IPv4-mapped, NAT64),
 * and inside it the blocks of the IANA IPv6 Special-Purpose Address Registry, which hold Teredo, 6to4 and documentation.
 */
const CLOSED_IPV6 = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

/** Two lists, because Node matches an IPv4 address against IPv6 ranges too, as if it were mapped. */
const closedIpv4 = new BlockList();
const closedIpv6 = new BlockList();
/** Loopback, and the unspecified address, at which a connection ends up there as well (IPv4-mapped ones in IPv6 too). */
const ownIpv4 = new BlockList();
const ownIpv6 = new BlockList();
for (const prefix of ['127.0.0.0', '0.0.0.0']) ownIpv4.addSubnet(prefix, 8, 'ipv4');
for (const prefix of ['::ffff:127.0.0.0', '::ffff:0.0.0.0']) ownIpv6.addSubnet(prefix, 104, 'ipv6');
for (const address of ['::', '::1']) ownIpv6.addAddress(address, 'ipv6');
for (const [prefix, bits] of CLOSED_IPV4) closedIpv4.addSubnet(prefix, bits, 'ipv4');
for (const [prefix, bits] of CLOSED_IPV6) closedIpv6.addSubnet(prefix, bits, 'ipv6');

/** True for a literal address on the public Internet; false for any other text. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  switch (isIP(address)) {
    case 4:
      return !closedIpv4.check(address, 'ipv4');
    case 6:
      return !closedIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}

/**
 * Does this host of a URL mean this very machine, whichever its spelling? Names are not looked up.
 * @param hostname as `URL` has it, which writes every IPv4 address the same way
 */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (/(?:^|\.)localhost$/.test(host)) return true;
  return isIP(host) === 6 ? ownIpv6.check(host, 'ipv6') : isIP(host) === 4 && ownIpv4.check(host, 'ipv4');
}

/**
 * A lookup that fails with `ForbiddenAddress` if any address of the name is not public. The socket connects to an address
 * from this very answer, so a name that resolves differently the next time gains nothing (DNS rebinding).
 */
export function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const addresses = found as unknown as LookupAddress[];
      const closed = addresses.find(({ address }) => !isPublicAddress(address));
      const first = addresses[0];
      if (closed || !first) return callback(new ForbiddenAddress(closed?.address ?? hostname), []);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** @param connectMs time to resolve, connect and finish TLS */
export function openConnector(connectMs: number): buildConnector.connector {
  return buildConnector({ timeout: connectMs });
}

/** A connector that reaches public addresses only; a literal address never goes through `lookup`, hence the check before. */
export function publicConnector(
  connectMs: number,
  lookup: LookupFunction = systemLookup as LookupFunction,
): buildConnector.connector {
  const connect = buildConnector({ timeout: connectMs, lookup: publicOnly(lookup) } as buildConnector.BuildOptions);
  return (options, callback) => {
    if (isIP(options.hostname) !== 0 && !isPublicAddress(options.hostname)) {
      callback(new ForbiddenAddress(options.hostname), null);
      return;
    }
    connect(options, callback);
  };
}
