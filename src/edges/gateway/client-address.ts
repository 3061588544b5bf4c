import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

const MAPPED = '::ffff:';
/** Groups of an IPv6 address, and how many of them name a subscriber's network (/64, RFC 6177). */
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** The proxies in front of this gateway whose `X-Forwarded-For` is believed, if any. @param cidrs such as `10.0.0.0/8` */
export function trustedProxies(cidrs: readonly string[]): BlockList | undefined {
  if (cidrs.length === 0) return undefined;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address, bits] = cidr.split('/') as [string, string];
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

/**
 * Who sent the request, as far as the network says: the peer of the connection, or, if that is a trusted proxy, the
 * last address in `X-Forwarded-For` that is none. What stands before it is the client's own word and is not read.
 */
export function clientAddress(message: IncomingMessage, trusted: BlockList | undefined): string {
  let address = plain(message.socket.remoteAddress ?? '');
  const forwarded = message.headers['x-forwarded-for'];
  if (trusted === undefined || typeof forwarded !== 'string' || !isTrusted(address, trusted)) return address;
  for (const entry of forwarded.split(',').reverse()) {
    const before = plain(entry.trim());
    if (isIP(before) === 0) return address;
    address = before;
    if (!isTrusted(address, trusted)) return address;
  }
  return address;
}

/** What budgets count by: an IPv4 address, or the /64 of an IPv6 one, since one subscriber has all of that. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, GROUPS - left.length - right.length) }, () => '0');
  return [...left, ...zeros, ...right]
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}

function isTrusted(address: string, trusted: BlockList): boolean {
  return isIP(address) !== 0 && trusted.check(address, familyOf(address));
}

/** An IPv4 address that a socket for both families writes as an IPv6 one. */
function plain(address: string): string {
  const rest = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : '';
  return isIPv4(rest) ? rest : address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
