import type { Pool } from 'pg';
import type { Network } from '../../base/shared/hex.js';
import { explanations } from '../payments/transfer.js';

export const transferKinds = ['receipt', 'withdrawal'] as const;
export type TransferKind = (typeof transferKinds)[number];

/**
 * - `in_flight`: the payment whose authorization made it is not over.
 * - `found`: in the books as money that nothing explains.
 * - `matched`: it turned out to have settled a payment, and is in the books as that.
 * - `reverted`: its block is not in the chain any more.
 * - `owner_deposit`, `income`, `returned`: what somebody said that it was.
 */
export const transferStates = ['in_flight', 'found', 'matched', 'reverted', ...explanations] as const;
export type TransferState = (typeof transferStates)[number];

export interface TransferFilter {
  readonly tenant?: string;
  readonly network?: string;
  readonly kind?: TransferKind;
  readonly state?: TransferState;
}

export interface TransferRow {
  readonly tenant: string;
  readonly kind: TransferKind;
  readonly state: TransferState;
  readonly network: string;
  readonly asset: string;
  readonly wallet: string;
  readonly counterparty: string;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: string;
  readonly logIndex: number;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly payment: string | null;
  readonly foundAt: Date;
}

/** Where a page ended: every part of the order. */
export type TransferKey = readonly [
  foundAt: string,
  network: string,
  transaction: string,
  logIndex: string,
  direction: string,
];

const ORDER = 'found_at, network, transaction, log_index, direction';

const COLUMNS = `tenant, case direction when 'in' then 'receipt' else 'withdrawal' end as kind, state, network, asset, wallet,
  counterparty, amount::text, transaction, log_index as "logIndex", block_number::text as "blockNumber",
  block_hash as "blockHash", payment, found_at as "foundAt"`;

/** A transfer into a wallet that no payment explained when it was seen. */
export async function findReceipt(
  pool: Pool,
  {
    logIndex,
    network,
    transaction,
  }: { readonly network: Network; readonly transaction: string; readonly logIndex: number },
): Promise<TransferRow | undefined> {
  const { rows } = await pool.query<TransferRow>(
    `select ${COLUMNS} from chain_transfers
     where network = $1 and transaction = $2 and log_index = $3 and direction = 'in'`,
    [network, transaction, logIndex],
  );
  return rows[0];
}

/** Newest first, from behind a key; one row more than `limit` if there is another page. */
export async function listTransfersOfWallets(
  pool: Pool,
  { kind, network, state, tenant }: TransferFilter,
  after: TransferKey | undefined,
  limit: number,
): Promise<TransferRow[]> {
  const { rows } = await pool.query<TransferRow>(
    `select ${COLUMNS} from chain_transfers
     where ($1::timestamptz is null or (${ORDER}) < ($1, $2, $3, $4::int, $5))
       and ($6::text is null or tenant = $6) and ($7::text is null or network = $7)
       and ($8::text is null or direction = $8) and ($9::text is null or state = $9)
     order by ${ORDER.split(', ')
       .map((column) => `${column} desc`)
       .join(', ')} limit $10`,
    [...(after ?? Array(5).fill(null)), tenant, network, kind && (kind === 'receipt' ? 'in' : 'out'), state, limit + 1],
  );
  return rows;
}

export function transferKeyOf({ foundAt, kind, logIndex, network, transaction }: TransferRow): TransferKey {
  return [foundAt.toISOString(), network, transaction, String(logIndex), kind === 'receipt' ? 'in' : 'out'];
}
