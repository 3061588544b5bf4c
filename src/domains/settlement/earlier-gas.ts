import type { Pool } from 'pg';
import type { SettlementChain } from '../../base/chain/chain.js';
import type { Hex } from '../../base/shared/hex.js';
import type { OutcomeRecorder } from './outcome-recorder.js';
import type { TransactionStatus } from './settlement-transactions.js';

/** Transactions looked at in one turn. */
const PAGE = 50;

interface Unbooked {
  readonly hash: Hex;
  readonly status: TransactionStatus;
}

/**
 * Books the gas of transactions that are older than the booking of gas, deeper than recovery looks. Migration
 * `0008_earlier_gas` names them; a name goes when its gas is in the log. Safe in any number of processes.
 */
export class EarlierGas {
  private after = '';

  constructor(
    private readonly pool: Pool,
    private readonly chain: Pick<SettlementChain, 'network' | 'transactionOutcome'>,
    private readonly outcomes: Pick<OutcomeRecorder, 'record'>,
  ) {}

  /** One turn; `true` if the next should follow at once. */
  async step(): Promise<boolean> {
    const { rows } = await this.pool.query<Unbooked>(
      `select hash, status from unbooked_gas join settlement_transactions using (hash)
       where hash > $1 and network = $2 order by hash limit $3`,
      [this.after, this.chain.network, PAGE],
    );
    for (const row of rows) await this.book(row);
    const more = rows.length === PAGE;
    this.after = more ? rows.at(-1)!.hash : '';
    return more;
  }

  /** A node that is behind knows nothing of a mined transaction; of one that was given up there is nothing to know. */
  private async book({ hash, status }: Unbooked): Promise<void> {
    const outcome = await this.chain.transactionOutcome(hash);
    if (outcome.kind === 'mined') await this.outcomes.record(hash, outcome);
    else if (status !== 'lost') return;
    await this.pool.query('delete from unbooked_gas where hash = $1', [hash]);
  }
}
