import type { Network } from '../shared/hex.js';

/**
 * The short names of x402 version 1 with their chain ids. `strict` marks those that the last client of the version 1
 * line (1.2.0) knows: it rejects a whole offer for one name outside its list, so only these may be offered. The others
 * were added later by clients that speak both versions, and are understood when they arrive.
 */
const v1Networks: readonly (readonly [name: string, chainId: number, strict: boolean])[] = [
  ['abstract', 2741, true],
  ['abstract-testnet', 11124, true],
  ['avalanche', 43114, true],
  ['avalanche-fuji', 43113, true],
  ['base', 8453, true],
  ['base-sepolia', 84532, true],
  ['celo', 42220, false],
  ['educhain', 41923, true],
  ['ethereum', 1, false],
  ['flare', 14, false],
  ['iotex', 4689, true],
  ['megaeth', 4326, false],
  ['monad', 143, false],
  ['peaq', 3338, true],
  ['polygon', 137, true],
  ['polygon-amoy', 80002, true],
  ['sei', 1329, true],
  ['sei-testnet', 1328, true],
  ['sepolia', 11155111, false],
  ['skale-base-sepolia', 324705682, true],
  ['stable', 988, false],
  ['stable-testnet', 2201, false],
  ['story', 1514, true],
];

// Maps, not objects: a name such as `constructor` must find nothing.
const byName = new Map(v1Networks.map(([name, chainId]) => [name, `eip155:${chainId}` as Network]));
const byNetwork = new Map(v1Networks.map(([name, chainId]) => [`eip155:${chainId}` as Network, name]));
const offerable = new Map(
  v1Networks.flatMap(([name, id, strict]) => (strict ? [[`eip155:${id}` as Network, name]] : [])),
);

/** CAIP-2 id of a version 1 short name (exact spelling), or `undefined` if version 1 has no such EVM network. */
export function networkOfV1Name(name: string): Network | undefined {
  return byName.get(name);
}

/** Version 1 short name of a network, or `undefined` if version 1 has none for it. */
export function v1NameOf(network: Network): string | undefined {
  return byNetwork.get(network);
}

/** Like `v1NameOf`, but only names that every version 1 client parses: the ones an offer may hold. */
export function offerableV1NameOf(network: Network): string | undefined {
  return offerable.get(network);
}
