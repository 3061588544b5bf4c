import { asked, type ChainClient } from './chain-client.js';

/** The first block at or after a time (epoch seconds), by halving; `last` if there is none before it. Throws ChainUnavailable. */
export async function blockAt(client: ChainClient, time: bigint, last: bigint): Promise<bigint> {
  let [low, high] = [0n, last];
  while (low < high) {
    const middle = (low + high) / 2n;
    const { timestamp } = await asked('block', client.getBlock({ blockNumber: middle }));
    if (timestamp < time) low = middle + 1n;
    else high = middle;
  }
  return low;
}
