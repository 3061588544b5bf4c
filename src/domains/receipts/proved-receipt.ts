import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import { readStream } from '../../base/event-store/rows.js';
import { type InclusionProof, inclusionProofsOf } from '../../base/event-store/seals/proof.js';
import { type PaymentId, paymentStream } from '../payments/payment.js';
import { type Receipt, receiptOf } from './receipt.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** What `GET /receipts/{id}` answers. */
export interface ProvedReceipt extends Receipt {
  /** For each event of the payment that is sealed by now, in the order of the log. */
  readonly proofs: readonly InclusionProof[];
  /** The seals that the proofs lead to, by number, as compact JWS. */
  readonly seals: Readonly<Record<string, string>>;
}

/** Issues receipts from the log. */
export class ReceiptDesk {
  constructor(
    private readonly pool: Pool,
    private readonly signer: ReceiptSigner,
    private readonly upcast: Upcast,
  ) {}

  /**
   * `undefined` for an id that no payment has.
   *
   * @throws EventDiffers if an event is not the one that was sealed: what we would sign might be false
   */
  async issue(id: PaymentId): Promise<ProvedReceipt | undefined> {
    const events = await readStream(this.pool, paymentStream(id));
    const receipt = receiptOf(id, events, this.signer, this.upcast);
    if (receipt === undefined) return undefined;
    const { proofs, seals } = await inclusionProofsOf(
      this.pool,
      events.map(({ position }) => position),
    );
    const inOrder = events.flatMap(({ position }) => proofs.get(position) ?? []);
    return { ...receipt, proofs: inOrder, seals: Object.fromEntries(seals) };
  }
}
