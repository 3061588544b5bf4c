import { EVM_NETWORK_CHAIN_ID_MAP } from '@x402/evm/v1';
import { networkOfV1Name, offerableV1NameOf, v1NameOf } from './networks.js';

const official = Object.entries(EVM_NETWORK_CHAIN_ID_MAP);

describe('version 1 network names', () => {
  it.each(official)('knows %s as the official table does', (name, chainId) => {
    expect(networkOfV1Name(name)).toBe(`eip155:${chainId}`);
    expect(v1NameOf(`eip155:${chainId}`)).toBe(name);
  });

  it('offers the names that the last version 1 client parses, and no other', () => {
    const offered = official.map(([, id]) => offerableV1NameOf(`eip155:${id}`)).filter((name) => name !== undefined);
    expect(offered.sort()).toEqual([
      'abstract',
      'abstract-testnet',
      'avalanche',
      'avalanche-fuji',
      'base',
      'base-sepolia',
      'educhain',
      'iotex',
      'peaq',
      'polygon',
      'polygon-amoy',
      'sei',
      'sei-testnet',
      'skale-base-sepolia',
      'story',
    ]);
  });

  it.each(['', 'Base', 'base ', 'solana', 'eip155:8453', 'constructor', '__proto__'])('does not know %p', (name) => {
    expect(networkOfV1Name(name)).toBeUndefined();
  });

  it('has no name for other chains', () => {
    expect(v1NameOf('eip155:31337')).toBeUndefined();
    expect(offerableV1NameOf('eip155:31337')).toBeUndefined();
  });
});
