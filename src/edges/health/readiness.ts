import type { Pool } from 'pg';
import { asked, type ChainClient } from '../../base/chain/chain-client.js';
import { nativeCryptoReady } from '../../base/chain/native-crypto.js';

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

async function outcome(check: Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_MS} ms`), CHECK_MS);
  });
  const answered = check.then(
    () => 'ok',
    () => 'unreachable',
  );
  const said = await Promise.race([answered, late]);
  clearTimeout(timer);
  return said;
}
