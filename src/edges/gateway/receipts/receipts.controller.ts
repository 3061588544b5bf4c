import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { EventDiffers } from '../../../base/event-store/seals/proof.js';
import { Problem } from '../../../base/shared/problem.js';
import type { PaymentId } from '../../../domains/payments/payment.js';
import { type ProvedReceipt, ReceiptDesk } from '../../../domains/receipts/proved-receipt.js';

const PAYMENT_ID = /^pay_[0-9a-f]{32}$/;

/** Public: whoever knows a payment's id may see, and check, what was paid for what. */
@Controller('receipts')
export class ReceiptsController {
  constructor(@Inject(ReceiptDesk) private readonly desk: Pick<ReceiptDesk, 'issue'>) {}

  /** Problem `not_found` for an id that no payment has, `event_altered` if the log is not what was sealed. */
  @Get(':id')
  @Header('Cache-Control', 'no-cache')
  @Header('Access-Control-Allow-Origin', '*')
  async one(@Param('id') id: string): Promise<ProvedReceipt> {
    const receipt = PAYMENT_ID.test(id) ? await this.issue(id as PaymentId) : undefined;
    if (receipt === undefined) throw new Problem('not_found');
    return receipt;
  }

  private async issue(id: PaymentId): Promise<ProvedReceipt | undefined> {
    try {
      return await this.desk.issue(id);
    } catch (error) {
      throw error instanceof EventDiffers ? new Problem('event_altered') : error;
    }
  }
}
