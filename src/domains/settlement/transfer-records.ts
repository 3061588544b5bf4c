import type { Pool } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { PaymentId } from '../payments/payment.js';
import { transferStream } from '../payments/payment.refund.js';
import { SETTLED_STATES } from '../payments/settle.decide.js';
import {
  type Explanation,
  explanations,
  knownTransfer,
  type TransferEvent,
  type TransferState,
  type WalletTransfer,
} from '../payments/transfer.js';
import { transferRow } from '../payments/transfer-row.js';
import type { Direction } from './reconciler.decide.js';
import type { FollowedWallet } from './reconciler-checkpoint.js';

/** A transfer as it was seen, and in whose book it is when nothing explains it. */
export interface SeenTransfer {
  readonly direction: Direction;
  readonly tenant: string;
  readonly data: WalletTransfer;
}

/** One that was written down and still stands; `in_flight` waits for its payment's end and is in no event. Of what was found it may be said what it was. */
export interface StandingTransfer extends SeenTransfer {
  readonly state: 'found' | 'in_flight' | Explanation;
}

/** SQL */
const EXPLAINED = explanations.map((name) => `'${name}'`).join(', ');

/** Events and rows of the transfers that no payment explains. */
export class TransferRecords {
  constructor(
    private readonly pool: Pool,
    private readonly store: Pick<EventStore, 'append' | 'readStreams'>,
    private readonly network: Network,
    private readonly clock: Clock,
  ) {}

  /** Of these wallets, in the blocks behind `after`, up to `to` if that is given. */
  standing(wallets: readonly FollowedWallet[], after: bigint, to?: bigint): Promise<StandingTransfer[]> {
    return this.select(
      `block_number > $2 and ($3::bigint is null or block_number <= $3) and state in ('found', 'in_flight', ${EXPLAINED})
       and (asset, wallet) in (select * from unnest($4::text[], $5::text[]))`,
      [
        after.toString(),
        to?.toString() ?? null,
        wallets.map(({ asset }) => asset),
        wallets.map(({ wallet }) => wallet),
      ],
    );
  }

  /**
   * Those whose payment may explain them by now: all in flight first, then the newest found. Anybody can send money by authorizations
   * that no payment was ever taken for, so found ones count only while a settlement stands.
   */
  doubtful(limit: number): Promise<StandingTransfer[]> {
    return this.select(
      `payment is not null and (state = 'in_flight' or state in ('found', ${EXPLAINED}) and exists (
         select from payments p where p.id = chain_transfers.payment and p.state = any($3::text[])))
       order by state = 'in_flight' desc, found_at desc limit $2`,
      [limit, SETTLED_STATES],
    );
  }

  async states(transfers: readonly WalletTransfer[]): Promise<ReadonlyMap<string, StoredEvent[]>> {
    return this.store.readStreams(transfers.map((one) => transferStream(this.network, one)));
  }

  /**
   * Writes what `decide` says of each, as it stands; together with their rows. Streams are read first, so that of two
   * processes one finds a `VersionConflict`.
   */
  async write(
    fence: HoldRequest,
    transfers: readonly SeenTransfer[],
    state: string,
    decide: (state: TransferState, seen: SeenTransfer, version: number) => readonly TransferEvent[],
  ): Promise<number> {
    const stored = await this.states(transfers.map(({ data }) => data));
    const written = await Promise.all(
      transfers.map(async (seen) => {
        const stream = transferStream(this.network, seen.data);
        const before = stored.get(stream) ?? [];
        const events = decide(knownTransfer(before).state, seen, before.length);
        if (events.length === 0) return 0;
        const row = transferRow(seen.direction, seen.tenant, seen.data, state, this.clock());
        await this.store.append({
          stream,
          tenant: seen.tenant,
          expectedVersion: before.length,
          holds: [fence],
          decide: () => ({ events, attachments: [row] }),
        });
        return 1;
      }),
    );
    return written.reduce<number>((sum, one) => sum + one, 0);
  }

  /** Their payments decide; no event says that. */
  async wait(transfers: readonly SeenTransfer[]): Promise<void> {
    for (const { data, direction, tenant } of transfers) {
      const { row } = transferRow(direction, tenant, data, 'in_flight', this.clock());
      const names = Object.keys(row);
      await this.pool.query(
        `insert into chain_transfers (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})
         on conflict (network, transaction, log_index, direction) do update
         set state = 'in_flight', block_number = excluded.block_number, block_hash = excluded.block_hash
         where chain_transfers.state not in ('found', ${EXPLAINED})`,
        Object.values(row),
      );
    }
  }

  /** In flight no longer: settled, or gone with its block. */
  async forget(transfers: readonly SeenTransfer[]): Promise<void> {
    if (transfers.length === 0) return;
    await this.pool.query(
      `delete from chain_transfers where network = $1 and state = 'in_flight'
       and (transaction, log_index, direction) in (select * from unnest($2::text[], $3::int[], $4::text[]))`,
      [
        this.network,
        transfers.map(({ data }) => data.transaction),
        transfers.map(({ data }) => data.logIndex),
        transfers.map(({ direction }) => direction),
      ],
    );
  }

  private async select(where: string, values: readonly unknown[]): Promise<StandingTransfer[]> {
    const { rows } = await this.pool.query<Row>(`select * from chain_transfers where network = $1 and ${where}`, [
      this.network,
      ...values,
    ]);
    return rows.map((row) => ({
      direction: row.direction,
      tenant: row.tenant,
      state: row.state,
      data: {
        network: this.network,
        asset: row.asset,
        wallet: row.wallet,
        counterparty: row.counterparty,
        amount: row.amount,
        transaction: row.transaction,
        logIndex: row.log_index,
        blockNumber: row.block_number,
        blockHash: row.block_hash,
        ...(row.payment === null ? {} : { payment: row.payment }),
      },
    }));
  }
}

interface Row {
  readonly direction: Direction;
  readonly tenant: string;
  readonly state: StandingTransfer['state'];
  readonly asset: Address;
  readonly wallet: Address;
  readonly counterparty: Address;
  readonly amount: string;
  readonly transaction: Hex;
  readonly log_index: number;
  readonly block_number: string;
  readonly block_hash: Hex;
  readonly payment: PaymentId | null;
}
