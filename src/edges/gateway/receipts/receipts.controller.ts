import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { EventStore } from '../../../base/event-store/event-store.js';
import { Problem } from '../../../base/shared/problem.js';
import { type PaymentId, paymentStream } from '../../../domains/payments/payment.js';
import { type Receipt, receiptOf } from '../../../domains/receipts/receipt.js';
import { ReceiptSigner } from '../../../domains/receipts/receipt-signer.js';

const PAYMENT_ID = /^pay_[0-9a-f]{32}$/;

/** Public: whoever knows a payment's id may see, and check, what was paid for what. */
@Controller('receipts')
export class ReceiptsController {
  constructor(
    @Inject(EventStore) private readonly store: Pick<EventStore, 'readStream'>,
    @Inject(ReceiptSigner) private readonly signer: ReceiptSigner,
  ) {}

  /** Problem `not_found` for an id that no payment has. */
  @Get(':id')
  @Header('Cache-Control', 'no-cache')
  @Header('Access-Control-Allow-Origin', '*')
  async one(@Param('id') id: string): Promise<Receipt> {
    const receipt = PAYMENT_ID.test(id) ? await this.read(id as PaymentId) : undefined;
    if (receipt === undefined) throw new Problem('not_found');
    return receipt;
  }

  private async read(id: PaymentId): Promise<Receipt | undefined> {
    return receiptOf(id, await this.store.readStream(paymentStream(id)), this.signer);
  }
}
