import type { Pool } from 'pg';
import { asked, type ChainClient } from '../../base/chain/chain-client.js';
import { nativeCryptoReady } from '../../base/chain/native-crypto.js';
import { TimedOut, withTimeout } from '../../base/platform/with-timeout.js';
import type { GasReport, GasWatch } from '../../domains/settlement/gas-watch.js';

const CHECK_MS = 2_000;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong, per part. Not all that is wrong keeps this process from taking requests. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface Parts {
  readonly pool: Pool;
  readonly chain: ChainClient;
  readonly gas: Pick<GasWatch, 'report'>;
  readonly draining: () => boolean;
}

interface Verdict {
  readonly says: string;
  readonly ready: boolean;
}

/** Can this process take paid requests right now? Asks what it stands on, each with a time limit. */
export async function readiness({ chain, draining, gas, pool }: Parts): Promise<Readiness> {
  const [database, node, settlers] = await Promise.all([
    outcome(pool.query('select 1').then(() => fine)),
    outcome(asked('block number', chain.getBlockNumber({ cacheTime: 0 })).then(() => fine)),
    outcome(gas.report().then(verdictOnGas)),
  ]);
  const native = nativeCryptoReady();
  const verdicts: Readonly<Record<string, Verdict>> = {
    database,
    chain: node,
    settlers,
    native_crypto: native === true ? fine : failed(native),
    accepting: draining() ? failed('shutting down') : fine,
  };
  return {
    ready: Object.values(verdicts).every(({ ready }) => ready),
    checks: Object.fromEntries(Object.entries(verdicts).map(([part, { says }]) => [part, says])),
  };
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
  return { says: `low on gas: ${low.join(', ')}`, ready: low.length < settlers.length };
}

function outcome(check: Promise<Verdict>): Promise<Verdict> {
  return withTimeout(check, CHECK_MS, `no answer within ${CHECK_MS} ms`).catch((error: Error) =>
    failed(error instanceof TimedOut ? error.message : 'unreachable'),
  );
}
