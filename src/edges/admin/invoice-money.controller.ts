import { Body, Controller, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { InvoiceDocument } from '../../domains/invoicing/invoice-document.js';
import { ApplyPayment, ReversePayment, WriteOffInvoice } from '../../domains/invoicing/money.decide.js';
import { reversalSchema, transferSchema, writeOffSchema } from '../../domains/invoicing/settings.schemas.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { parseBody } from './input.js';
import { InvoiceReader } from './invoice-reader.js';

/** What came in for an invoice, by the word of whoever reads the bank's statements. All of it is repeatable. */
@Controller('admin/v1/invoices/:id')
@UseGuards(AdminKeyGuard)
export class InvoiceMoneyController {
  constructor(
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(InvoiceReader) private readonly reader: InvoiceReader,
  ) {}

  /** A bank transfer, named by its reference: the same one counts once. */
  @Post('payments')
  @HttpCode(200)
  @Idempotent('optional')
  async pay(@Param('id') id: string, @Body() body: unknown): Promise<InvoiceDocument> {
    const { amount, reference } = parseBody(transferSchema, body);
    const { customer, sequence, tenant } = await this.place(id);
    await this.bus.execute(new ApplyPayment(tenant, customer, sequence, 'transfer', reference, BigInt(amount)));
    return this.reader.document(id);
  }

  /** It went back, or was not for this invoice. The reference is not taken again. */
  @Post('payments/:reference/reverse')
  @HttpCode(200)
  @Idempotent('optional')
  async reverse(
    @Param('id') id: string,
    @Param('reference') reference: string,
    @Body() body: unknown,
  ): Promise<InvoiceDocument> {
    const { reason } = parseBody(reversalSchema, body);
    const { customer, sequence, tenant } = await this.place(id);
    await this.bus.execute(new ReversePayment(tenant, customer, sequence, reference, reason));
    return this.reader.document(id);
  }

  /** Nobody will pay what is outstanding. */
  @Post('write-off')
  @HttpCode(200)
  @Idempotent('optional')
  async writeOff(@Param('id') id: string, @Body() body: unknown): Promise<InvoiceDocument> {
    const { reason } = parseBody(writeOffSchema, body);
    const { customer, sequence, tenant } = await this.place(id);
    await this.bus.execute(new WriteOffInvoice(tenant, customer, sequence, reason));
    return this.reader.document(id);
  }

  private async place(id: string) {
    return (await this.reader.find(id)).invoice.drafted;
  }
}
