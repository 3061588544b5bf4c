import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { BlockRef } from './settlement-transactions.js';

/** How long a lease outlives its last extension, in seconds; by the database's clock. */
const LEASE_SECONDS = 10;
/** Reorganizations up to this depth are followed back. */
export const REORG_DEPTH = 64n;

/** The right to follow a chain, and how far it is followed. */
export interface Lease {
  /** Whoever takes the lease raises it. */
  readonly epoch: bigint;
  /** Blocks that were the last one read, the oldest first; the last of them is how far everything is read. */
  readonly recent: readonly BlockRef[];
}

/** A wallet and how far its transfers are read. */
export interface FollowedWallet {
  readonly asset: Address;
  readonly wallet: Address;
  /** In whose book is what no payment explains. */
  readonly tenant: string;
  /** Nothing is read up to here. */
  readonly openedAt: bigint;
  readonly blockNumber: bigint;
}

export interface Move {
  /** Wallets whose transfers are read up to `to` now. */
  readonly wallets: readonly FollowedWallet[];
  readonly to: bigint;
  /** Blocks to remember; the newest of them is how far everything is read. None if it was read further before. */
  readonly marks: readonly BlockRef[];
  readonly head: bigint;
}

/** Somebody else follows this chain by now. */
export class LeaseLost extends Error {}

/** How far one chain is followed, by one process at a time. */
export class ReconcilerCheckpoint {
  private readonly owner = randomUUID();

  constructor(
    private readonly pool: Pool,
    private readonly network: Network,
  ) {}

  /** Takes the lease, or extends it; `undefined` while somebody else has it. */
  async claim(): Promise<Lease | undefined> {
    await this.pool.query(
      `insert into chain_checkpoints (network, block_number, recent, head, caught_up_at, epoch)
       values ($1, 0, '[]', 0, now(), 0) on conflict do nothing`,
      [this.network],
    );
    const { rows } = await this.pool.query<{ epoch: string; recent: readonly [string, Hex][] }>(
      `with free as (
         select network from chain_checkpoints
         where network = $1 and (owner is null or owner = $2 or lease_until < clock_timestamp()) for update skip locked),
       taken as (
         update chain_checkpoints c set owner = $2, epoch = c.epoch + (c.owner is distinct from $2)::int,
           lease_until = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
         from free where c.network = free.network returning c.epoch, c.recent),
       fence as (
         insert into hold_totals (key, held) select $3, epoch from taken
         on conflict (key) do update set held = excluded.held where hold_totals.held < excluded.held)
       select epoch::text, recent from taken`,
      [this.network, this.owner, this.fenceKey()],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const recent = row.recent.map(([number, hash]) => ({ number: BigInt(number), hash }));
    return { epoch: BigInt(row.epoch), recent };
  }

  /** Asked for with every write, so that one of a process that lost the lease is refused in its own transaction. */
  fence({ epoch }: Lease): HoldRequest {
    return { key: this.fenceKey(), delta: 0n, limit: epoch, hard: true };
  }

  async wallets(): Promise<FollowedWallet[]> {
    const { rows } = await this.pool.query<Record<keyof FollowedWallet, string>>(
      `select asset, wallet, tenant, opened_at::text as "openedAt", block_number::text as "blockNumber"
       from chain_wallets where network = $1`,
      [this.network],
    );
    return rows.map((row) => ({
      asset: row.asset as Address,
      wallet: row.wallet as Address,
      tenant: row.tenant,
      openedAt: BigInt(row.openedAt),
      blockNumber: BigInt(row.blockNumber),
    }));
  }

  /** After everything that was found is in the log. @throws LeaseLost */
  async move(lease: Lease, { head, marks, to, wallets }: Move): Promise<void> {
    await this.write(lease, merged(lease.recent, marks), head, to >= head, {
      text: `block_number = $6 from held
        where w.network = $1 and (w.asset, w.wallet) in (select * from unnest($7::text[], $8::text[]))`,
      values: [to.toString(), wallets.map(({ asset }) => asset), wallets.map(({ wallet }) => wallet)],
    });
  }

  /** Back to a block that the chain still has. @throws LeaseLost */
  async stepBack(lease: Lease, to: BlockRef, head: bigint): Promise<void> {
    const recent = lease.recent.filter(({ number }) => number <= to.number);
    await this.write(lease, recent, head, false, {
      text: `block_number = least(w.block_number, $6) from held where w.network = $1`,
      values: [to.number.toString()],
    });
  }

  /** For everybody to see. */
  async stop(lease: Lease, reason: string): Promise<void> {
    await this.pool.query('update chain_checkpoints set stopped = $3 where network = $1 and epoch = $2', [
      this.network,
      lease.epoch.toString(),
      reason,
    ]);
  }

  /** So that others need not wait for it to lapse. */
  async release(): Promise<void> {
    await this.pool.query(
      'update chain_checkpoints set owner = null, lease_until = null where network = $1 and owner = $2',
      [this.network, this.owner],
    );
  }

  private async write(
    { epoch }: Lease,
    recent: readonly BlockRef[],
    head: bigint,
    caughtUp: boolean,
    cursors: { readonly text: string; readonly values: readonly unknown[] },
  ): Promise<void> {
    const { rows } = await this.pool.query<{ held: boolean }>(
      `with held as (
         update chain_checkpoints set recent = $3, block_number = coalesce(($3::jsonb -> -1 ->> 0)::bigint, 0), head = $4,
           stopped = null, caught_up_at = case when $5::boolean then clock_timestamp() else caught_up_at end
         where network = $1 and epoch = $2 returning 1),
       moved as (update chain_wallets w set ${cursors.text})
       select exists (select from held) as held`,
      [
        this.network,
        epoch.toString(),
        JSON.stringify(recent.map(({ hash, number }) => [number.toString(), hash])),
        head.toString(),
        caughtUp,
        ...cursors.values,
      ],
    );
    if (!rows[0]!.held) throw new LeaseLost(`another worker follows ${this.network}`);
  }

  private fenceKey(): string {
    return `reconciler/${this.network}`;
  }
}

/** Pure. A block that any reorganization to be followed leaves standing: the first one, or 64 blocks deep. */
export function safeBehind(end: bigint): bigint {
  return end > REORG_DEPTH ? end - REORG_DEPTH : 0n;
}

/** The oldest first. Of those that are deeper than any reorganization the newest stays. */
function merged(recent: readonly BlockRef[], marks: readonly BlockRef[]): readonly BlockRef[] {
  const all = [...new Map([...recent, ...marks].map((one) => [one.number, one])).values()];
  all.sort((a, b) => Number(a.number - b.number));
  const safe = safeBehind(all.at(-1)?.number ?? 0n);
  return all.slice(
    Math.max(
      0,
      all.findLastIndex(({ number }) => number <= safe),
    ),
  );
}
