import type { Pool } from 'pg';
import type { Block, ChainReader } from '../../base/chain/chain-reader.js';
import { VersionConflict } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { type WalletOpened, walletStream } from './wallet.js';

/** The chain's clock may differ from ours. Seconds. */
export const EARLIER_SECONDS = 3_600n;

interface Named {
  readonly asset: Address;
  readonly wallet: Address;
  readonly tenant: string;
  readonly named_at: Date;
}

/** Wallets that tenants were ever paid at and that are not followed yet, with the tenant that named each first. */
const UNOPENED = `
  select * from (
    select distinct on (e.data->>'asset', e.data->>'payee') e.data->>'asset' as asset, e.data->>'payee' as wallet,
      e.tenant, e.occurred_at as named_at
    from tenants t join events e on stream_key(e.stream) = stream_key('tenant/' || t.id) and e.stream = 'tenant/' || t.id
    where e.type = 'TenantRegistered' and e.data->>'network' = $1
    order by e.data->>'asset', e.data->>'payee', e.position) as named
  where not exists (select from chain_wallets w where (w.network, w.asset, w.wallet) = ($1, named.asset, named.wallet))`;

export interface WalletOpenerDeps {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'append'>;
  readonly network: Network;
  readonly chain: Pick<ChainReader, 'balanceAfter' | 'block' | 'lastBefore' | 'transfers'>;
  /** How long before its naming the books of a wallet begin, in seconds. */
  readonly earlierSeconds?: bigint;
}

/**
 * Begins the books of wallets: an hour before a tenant named it nothing in it can be a payment, so what it held then is its
 * opening balance, and each transfer since is looked at.
 */
export class WalletOpener {
  constructor(private readonly deps: WalletOpenerDeps) {}

  /** `true` if a wallet was opened. Safe to repeat. @throws ChainUnavailable */
  async open(fence: HoldRequest, head: Block): Promise<boolean> {
    const { network, pool } = this.deps;
    const { rows } = await pool.query<Named>(UNOPENED, [network]);
    for (const named of rows) await this.openOne(fence, named, head);
    return rows.length > 0;
  }

  private async openOne(fence: HoldRequest, { asset, named_at, tenant, wallet }: Named, head: Block): Promise<void> {
    const { chain, earlierSeconds = EARLIER_SECONDS, network, store } = this.deps;
    const time = BigInt(Math.floor(named_at.getTime() / 1000)) - earlierSeconds;
    const number = await chain.lastBefore(time, head);
    const block = number === head.number ? head : await chain.block(number);
    const balance = await this.balanceAfter(asset, wallet, number, head);
    if (block === undefined || balance === undefined) return;
    const data = {
      network,
      asset,
      wallet,
      balance: balance.toString(),
      blockNumber: number.toString(),
      blockHash: block.hash,
    };
    const event: WalletOpened = { type: 'WalletOpened', schema: 1, data };
    const row = { network, asset, wallet, tenant, opened_at: number.toString(), block_number: number.toString() };
    const place = { stream: walletStream(data), tenant, expectedVersion: 0, holds: [fence] };
    try {
      await store.append({
        ...place,
        decide: () => ({ events: [event], attachments: [{ table: 'chain_wallets', row }] }),
      });
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
  }

  /** A node that has dropped the state of that block still has the transfers since, and today's balance. */
  private async balanceAfter(
    asset: Address,
    wallet: Address,
    number: bigint,
    head: Block,
  ): Promise<bigint | undefined> {
    const { chain } = this.deps;
    const told = await chain.balanceAfter(asset, wallet, number);
    if (told !== undefined) return told;
    let balance = await chain.balanceAfter(asset, wallet, head.number);
    for (const side of ['to', 'from'] as const) {
      for await (const page of chain.transfers(asset, side, [wallet], number + 1n, head.number)) {
        for (const { value } of page) if (balance !== undefined) balance += side === 'to' ? -value : value;
      }
    }
    return balance;
  }
}
