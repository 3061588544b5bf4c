import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainClient } from '../../../base/chain/chain-client.js';
import { feeOf, readReceipt } from '../../../base/chain/transaction-outcome.js';
import type { Hex } from '../../../base/shared/hex.js';
import type { ChainCheckDeps } from './chain.check.js';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';
import { inSnapshot } from './snapshot.js';

/** Receipts that are asked for at once. */
const PAGE = 100;
const POLL_MS = 500;
/** Disagreements that are given time; the others count at once. */
const PATIENT_MAX = 500;

interface Spent {
  readonly hash: Hex;
  /** `null`: no transaction of that hash was ever signed here. */
  readonly status: string | null;
  /** What the log has as spent on it, all tenants together; wei. */
  readonly paid: string;
}

/** Transactions with an outcome or with a fee in the log; of all hashes, or of those in $2. */
const SPENT = `
  with fees as (
    select split_part(stream, '/', 3) as hash,
      sum(case type when 'NetworkFeePaid' then 1 else -1 end * (data->>'share')::numeric) as paid
    from events where type in ('NetworkFeePaid', 'NetworkFeeReversed') and data->>'network' = $1
      and ($2::text[] is null or split_part(stream, '/', 3) = any($2)) group by 1),
  signed as (select hash, status from settlement_transactions
    where network = $1 and ($2::text[] is null or hash = any($2)))
  select hash, status, coalesce(paid, 0)::text as paid from signed full join fees using (hash)
  where status is distinct from 'submitted' or coalesce(paid, 0) <> 0 order by hash`;

/** The fees in the log add up to what each settlement transaction cost, by its receipt, to the wei. */
export function gasCheck({ chain, network }: Pick<ChainCheckDeps, 'chain' | 'network'>): Check {
  return {
    name: 'gas',
    async run({ graceMs, listed, pool }: CheckContext, onProgress: Progress) {
      const client = await chain();
      const findings = new Findings(listed);
      const counts = { transactions: 0, 'in flight': 0 };
      let doubtful: Judged[] = [];
      await inSnapshot(pool, ['settlement_transactions'], async (snapshot) => {
        const [row] = await snapshot.query<{ total: string }>(
          'select count(*) as total from settlement_transactions where network = $1',
          [network],
        );
        for await (const page of snapshot.pages<Spent>(SPENT, [network, null], PAGE)) {
          counts.transactions += page.length;
          for (const wrong of await wrongOnes(client, page)) {
            if (doubtful.length < PATIENT_MAX) doubtful.push(wrong);
            else differ(findings, wrong);
          }
          onProgress(Math.min(counts.transactions, Number(row!.total)), Number(row!.total));
        }
      });
      const end = performance.now() + graceMs;
      const first = doubtful.length;
      while (doubtful.length > 0) {
        const { rows } = await pool.query<Spent>(SPENT, [network, doubtful.map(({ hash }) => hash)]);
        doubtful = await wrongOnes(client, rows);
        if (doubtful.length === 0 || performance.now() >= end) break;
        await sleep(POLL_MS);
      }
      counts['in flight'] = first - doubtful.length;
      for (const wrong of doubtful) differ(findings, wrong);
      return findings.result(counts);
    },
  };
}

interface Judged extends Spent {
  /** By the receipt, in wei; 0 for a transaction in no block. */
  readonly cost: bigint;
}

async function wrongOnes(client: ChainClient, spent: readonly Spent[]): Promise<Judged[]> {
  const receipts = await Promise.all(spent.map(({ hash }) => readReceipt(client, hash)));
  return spent
    .map((one, n) => ({ ...one, cost: receipts[n] ? feeOf(receipts[n]) : 0n }))
    .filter(({ cost, paid, status }) => BigInt(paid) !== cost || status === null);
}

function differ(findings: Findings, { cost, hash, paid, status }: Judged): void {
  if (status === null) findings.differ('fee of a transaction that is not ours', hash, 'no fee', paid);
  else findings.differ('network fee', `${hash} (${status})`, cost, paid);
}
