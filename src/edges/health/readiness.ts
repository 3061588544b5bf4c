import type { Pool } from 'pg';
import { asked, type ChainClient } from '../../base/chain/chain-client.js';
import { nativeCryptoReady } from '../../base/chain/native-crypto.js';
import { TimedOut, withTimeout } from '../../base/platform/with-timeout.js';

const CHECK_MS = 2_000;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong, per part. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Can this process take paid requests right now? Asks what it stands on, each with a time limit. */
export async function readiness(pool: Pool, chain: ChainClient, draining: () => boolean): Promise<Readiness> {
  const [database, node] = await Promise.all([
    outcome(pool.query('select 1')),
    outcome(asked('block number', chain.getBlockNumber({ cacheTime: 0 }))),
  ]);
  const native = nativeCryptoReady();
  const checks = {
    database,
    chain: node,
    native_crypto: native === true ? 'ok' : native,
    accepting: draining() ? 'shutting down' : 'ok',
  };
  return { ready: Object.values(checks).every((check) => check === 'ok'), checks };
}

function outcome(check: Promise<unknown>): Promise<string> {
  return withTimeout(check, CHECK_MS, `no answer within ${CHECK_MS} ms`).then(
    () => 'ok',
    (error: Error) => (error instanceof TimedOut ? error.message : 'unreachable'),
  );
}
