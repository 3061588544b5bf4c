import type { IncomingMessage } from 'node:http';
import { addressGroup, clientAddress, trustedProxies } from './client-address.js';

function from(remoteAddress: string, forwarded?: string): IncomingMessage {
  return { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } } as unknown as IncomingMessage;
}

describe('the address of a client', () => {
  const proxies = trustedProxies(['10.0.0.0/8', 'fd00::/8']);

  it.each([
    ['192.0.2.7', undefined],
    ['::ffff:192.0.2.7', undefined],
    ['192.0.2.7', '203.0.113.1'],
  ])('is the peer of the connection if nobody is trusted: %s, X-Forwarded-For: %s', (peer, forwarded) => {
    expect(clientAddress(from(peer, forwarded), trustedProxies([]))).toBe('192.0.2.7');
  });

  it.each([
    ['a stranger says another', '192.0.2.7', '203.0.113.1', '192.0.2.7'],
    ['a proxy says it', '10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['a proxy on a socket for both families says it', '::ffff:10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['a proxy on IPv6 says it', 'fd00::1', '2001:db8::1', '2001:db8::1'],
    ['the client wrote something before it', '10.1.2.3', '198.51.100.9, 203.0.113.1', '203.0.113.1'],
    ['the client names a trusted proxy', '10.1.2.3', '10.9.9.9,203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['all are trusted', '10.1.2.3', '10.0.0.9, 10.0.0.2', '10.0.0.9'],
    ['the entry is no address', '10.1.2.3', '203.0.113.1, unknown', '10.1.2.3'],
    ['the entry is empty', '10.1.2.3', '', '10.1.2.3'],
    ['there is none', '10.1.2.3', undefined, '10.1.2.3'],
  ])('behind proxies, if %s', (_what, peer, forwarded, address) => {
    expect(clientAddress(from(peer, forwarded), proxies)).toBe(address);
  });
});

describe('the group that is counted', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:ffff::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ])('of %s is %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
