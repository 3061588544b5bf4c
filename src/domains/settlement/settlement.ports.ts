import type { Pool } from 'pg';
import type { Token } from '../../base/chain/chain.js';
import type { Address, Hex } from '../../base/shared/hex.js';
import type { DelegateSettlement } from '../payments/delegate.decide.js';
import type { PaymentAfter } from '../payments/handler-for.js';
import type { Known } from '../payments/payment.decide.js';
import type { PaymentId } from '../payments/payment.js';
import type {
  ConfirmSettlement,
  FailSettlement,
  HoldSettlement,
  OpenPayment,
  RevertSettlement,
  SubmitSettlement,
} from '../payments/settle.decide.js';

export type SettlementCommand =
  | HoldSettlement
  | SubmitSettlement
  | DelegateSettlement
  | ConfirmSettlement
  | FailSettlement
  | RevertSettlement;

/** May money be taken from this payer? Rejects if nobody can say. */
export type ScreenPayer = (payer: Address) => Promise<'clear' | 'denied'>;

/** The tokens that tenants are paid in; grows while tenants are registered. */
export type Tokens = Pick<ReadonlyMap<Address, Token>, 'get' | 'keys'>;

/** Sends a command to its handler; resolves when its events are durable. */
export type Execute = (command: SettlementCommand) => Promise<PaymentAfter>;

/** The payments as the log has them. */
export type LoadPayment = (id: PaymentId) => Promise<Known>;

/** The payers' signatures, which the log must not hold. Payments without one are missing from the map. */
export type ReadSignatures = (ids: readonly PaymentId[]) => Promise<ReadonlyMap<PaymentId, Hex>>;

/** An open payment on its way to the chain. */
export interface SettleItem {
  readonly id: PaymentId;
  readonly version: number;
  readonly state: OpenPayment;
}

/** The outcome is not known yet. Not a failure: ask again later. */
export class SettlementPending extends Error {}

export function signatureReader(pool: Pool): ReadSignatures {
  return async (ids) => {
    const { rows } = await pool.query<{ payment_id: PaymentId; signature: Buffer }>(
      'select payment_id, signature from authorizations where payment_id = any($1::text[])',
      [ids],
    );
    return new Map(rows.map((row) => [row.payment_id, `0x${row.signature.toString('hex')}` as Hex]));
  };
}
