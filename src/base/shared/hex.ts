export type Hex = `0x${string}`;
/** A 20-byte address in lower case; checksums are for display only. */
export type Address = Hex;
/** CAIP-2 id of an EVM chain. */
export type Network = `eip155:${string}`;

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const BYTES32 = /^0x[0-9a-fA-F]{64}$/;
const NETWORK = /^eip155:[1-9][0-9]{0,31}$/;

/** Lower-cased address, or `undefined` if the text is not 20 bytes of hex. */
export function parseAddress(text: unknown): Address | undefined {
  return typeof text === 'string' && ADDRESS.test(text) ? (text.toLowerCase() as Address) : undefined;
}

/** Lower-cased 32-byte value, or `undefined`. */
export function parseBytes32(text: unknown): Hex | undefined {
  return typeof text === 'string' && BYTES32.test(text) ? (text.toLowerCase() as Hex) : undefined;
}

export function parseNetwork(text: unknown): Network | undefined {
  return typeof text === 'string' && NETWORK.test(text) ? (text as Network) : undefined;
}

export function chainIdOf(network: Network): number {
  return Number(network.slice('eip155:'.length));
}
