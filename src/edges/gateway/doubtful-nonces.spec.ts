import type { Pool } from 'pg';
import { ChainUnavailable, type SettlementChain } from '../../base/chain/chain.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Network } from '../../base/shared/hex.js';
import { DoubtfulNonces } from './doubtful-nonces.js';

const NOW = 1_800_000_000_000;
const DAY = 86_400n;
const seconds = BigInt(NOW / 1000);
const log = { warn: () => undefined, error: () => undefined, info: () => undefined } as unknown as Logger;
/** A book without any transaction. */
const pool = { query: async () => ({ rows: [{ next: '0', behind_gap: null }] }) } as unknown as Pool;

/** A chain with so many transactions of the settler; it is away until `back` is called. */
function chain(network: Network, mined: number, away = false) {
  let back = () => {};
  const there = away ? new Promise<void>((resolve) => (back = resolve)) : undefined;
  let asked = 0;
  const minedNonce = async () => {
    asked += 1;
    if (away && asked === 1) throw new ChainUnavailable('away');
    await there;
    return mined;
  };
  return { chain: { network, settlers: ['0xa'], minedNonce } as unknown as SettlementChain, back: () => back() };
}

async function started(...chains: SettlementChain[]): Promise<DoubtfulNonces> {
  const nonces = new DoubtfulNonces({ chains, pool, clock: () => NOW, log });
  await nonces.start();
  return nonces;
}

describe('doubtful nonces', () => {
  it('are those of a chain that has settlements which the log lost, for as long as an authorization lasts', async () => {
    const nonces = await started(chain('eip155:1', 0).chain, chain('eip155:2', 3).chain);
    expect(nonces.until('eip155:1')).toBe(0n);
    expect(nonces.until('eip155:2')).toBe(seconds + DAY);
  });

  it('are all of a chain that is away, until it is back and has lost nothing', async () => {
    const west = chain('eip155:2', 0, true);
    const nonces = await started(chain('eip155:1', 0).chain, west.chain);
    expect(nonces.until('eip155:1')).toBe(0n);
    expect(nonces.until('eip155:2')).toBeGreaterThan(seconds + 1_000_000n * DAY);
    west.back();
    await new Promise((resolve) => setImmediate(resolve));
    expect(nonces.until('eip155:2')).toBe(0n);
    await nonces.stop();
  });
});
