import type { Pool } from 'pg';
import { asked } from '../../base/chain/chain-client.js';
import type { Chains } from '../../base/chain/chains.js';
import { nativeCryptoReady } from '../../base/chain/native-crypto.js';
import { TimedOut, withTimeout } from '../../base/platform/with-timeout.js';
import type { Network } from '../../base/shared/hex.js';
import { type GasReport, nobodyHasGas } from '../../domains/settlement/gas-watch.js';
import type { GasWatches } from '../../domains/settlement/gas-watches.js';
import { reconcilerVerdict } from './reconciler-health.js';
import type { Verdict } from './verdict.js';

const CHECK_MS = 2_000;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong, per part. Not all that is wrong keeps this process from taking requests. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface Parts {
  readonly pool: Pool;
  readonly chains: Chains;
  readonly gas: GasWatches;
  readonly draining: () => boolean;
}

/** What one chain is needed for. */
export interface ChainVerdict {
  readonly network: Network;
  readonly chain: Verdict;
  readonly settlers: Verdict;
}

/** Can this process take paid requests right now? Asks what it stands on, each with a time limit. */
export async function readiness({ chains, draining, gas, pool }: Parts): Promise<Readiness> {
  const [database, reconciler, ...each] = await Promise.all([
    outcome(pool.query('select 1').then(() => fine)),
    // That nobody can say is the database's to tell.
    reconcilerVerdict(pool).catch(() => fine),
    ...[...chains.keys()].map((network) => verdictOnChain(network, chains, gas)),
  ]);
  const native = nativeCryptoReady();
  const verdicts: Readonly<Record<string, Verdict>> = {
    database,
    ...verdictOnChains(each),
    reconciler,
    native_crypto: native === true ? fine : failed(native),
    accepting: draining() ? failed('shutting down') : fine,
  };
  return {
    ready: Object.values(verdicts).every(({ ready }) => ready),
    checks: Object.fromEntries(Object.entries(verdicts).map(([part, { says }]) => [part, says])),
  };
}

async function verdictOnChain(network: Network, chains: Chains, gas: GasWatches): Promise<ChainVerdict> {
  const [chain, settlers] = await Promise.all([
    outcome(asked('block number', chains.get(network)!.client.getBlockNumber({ cacheTime: 0 })).then(() => fine)),
    outcome(gas.byNetwork.get(network)!.report().then(verdictOnGas)),
  ]);
  return { network, chain, settlers };
}

/**
 * Pure. What is wrong is told of each chain by its name; as long as one can be used, its tenants can be paid, and requests
 * belong here.
 */
export function verdictOnChains(each: readonly ChainVerdict[]): {
  readonly chain: Verdict;
  readonly settlers: Verdict;
} {
  const ready = each.some(({ chain, settlers }) => chain.ready && settlers.ready);
  const merged = (part: 'chain' | 'settlers'): Verdict => {
    const wrong = each.filter((one) => one[part].says !== fine.says);
    if (wrong.length === 0) return fine;
    const says = wrong.map((one) => (each.length === 1 ? '' : `${one.network}: `) + one[part].says);
    return { says: says.join('; '), ready };
  };
  return { chain: merged('chain'), settlers: merged('settlers') };
}

const fine: Verdict = { says: 'ok', ready: true };

function failed(says: string): Verdict {
  return { says, ready: false };
}

/**
 * Pure. Without gas nothing that is sold now can be collected until somebody fills a settler up, so requests belong
 * elsewhere. One settler of several, or a price above the cap, which passes, is worth an alarm and nothing more.
 */
export function verdictOnGas({ capped, settlers }: Pick<GasReport, 'capped' | 'settlers'>): Verdict {
  if (capped !== undefined) return { says: `waiting: ${capped}`, ready: true };
  const low = settlers.filter((one) => one.low).map(({ settler }) => settler);
  if (low.length === 0) return fine;
  return { says: `low on gas: ${low.join(', ')}`, ready: !nobodyHasGas({ settlers }) };
}

function outcome(check: Promise<Verdict>): Promise<Verdict> {
  return withTimeout(check, CHECK_MS, `no answer within ${CHECK_MS} ms`).catch((error: Error) =>
    failed(error instanceof TimedOut ? error.message : 'unreachable'),
  );
}
