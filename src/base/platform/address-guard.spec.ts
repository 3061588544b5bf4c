import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { ForbiddenAddress, isLoopback, isPublicAddress, publicOnly } from './address-guard.js';

describe('this very machine', () => {
  const hostOf = (text: string) => new URL(`http://${text}`).hostname;

  it.each([
    ...['localhost', 'LocalHost', 'localhost.', 'tollbook.localhost', '127.0.0.1', '127.9.9.9', '127.1', '0x7f000001'],
    ...['2130706433', '0.0.0.0', '[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
  ])('is %s', (host) => expect(isLoopback(hostOf(host))).toBe(true));

  it.each([
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    '128.0.0.1',
    '10.0.0.1',
    '[::2]',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
  ])('is not %s', (host) => expect(isLoopback(hostOf(host))).toBe(false));
});

describe('public addresses', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
  ])('%s is one', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.255.255'],
    ['shared (CGNAT)', '100.64.0.1'],
    ['shared (metadata of one cloud)', '100.100.100.200'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local metadata', '169.254.169.254'],
    ['metadata that looks public', '168.63.129.16'],
    ['protocol assignments', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.7'],
    ['documentation', '203.0.113.9'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmarking', '198.19.255.255'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped public', '::ffff:8.8.8.8'],
    ['compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::1'],
    ['discard', '100::1'],
    ['Teredo', '2001::1'],
    ['documentation', '2001:db8::1'],
    ['6to4', '2002:7f00:1::'],
    ['documentation', '3fff::1'],
    ['segment routing', '5f00::1'],
    ['unique local', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with zone', 'fe80::1%eth0'],
    ['public with zone', '2606:4700::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['not an address', 'example.com'],
    ['not an address', '0x7f.1'],
    ['nothing', ''],
  ])('%s is none: %s', (_, address) => expect(isPublicAddress(address)).toBe(false));
});

describe('looking names up', () => {
  const answering = (...addresses: string[]): LookupFunction => {
    const list: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    return ((_name, _options, callback) => callback(null, list)) as LookupFunction;
  };

  it('gives the checked addresses, all of them or the first', () => {
    const lookup = publicOnly(answering('8.8.8.8', '2606:4700::1'));
    lookup('ok.example', { all: true }, (error, found) => {
      expect(error).toBeNull();
      expect(found).toEqual([
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1', family: 6 },
      ]);
    });
    lookup('ok.example', {}, (error, address, family) =>
      expect([error, address, family]).toEqual([null, '8.8.8.8', 4]),
    );
    expect.assertions(3);
  });

  it('refuses the name if any of its addresses is closed, or if it has none', () => {
    for (const lookup of [publicOnly(answering('8.8.8.8', '10.0.0.1')), publicOnly(answering())]) {
      lookup('mixed.example', { all: true }, (error) => expect(error).toBeInstanceOf(ForbiddenAddress));
    }
    expect.assertions(2);
  });
});
