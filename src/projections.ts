import type { Projection } from './base/event-store/projection-runner.js';
import { billingProjection } from './domains/invoicing/billing.projection.js';
import { creditNotesProjection } from './domains/invoicing/credit-notes.projection.js';
import { invoicesProjection } from './domains/invoicing/invoices.projection.js';
import { ledgerProjection } from './domains/ledger/ledger.projection.js';
import { usageProjection } from './domains/metering/usage.projection.js';
import { commitmentsProjection } from './domains/payments/commitments.projection.js';
import { paymentsProjection } from './domains/payments/payments.projection.js';
import { refundsProjection } from './domains/payments/refunds.projection.js';
import { cardChargesProjection } from './domains/settlement/cards/card-charges.projection.js';
import { upcast } from './event-catalogue.js';

/** Every projection that can be rebuilt from the events. */
export const projections: readonly Projection[] = [
  paymentsProjection(upcast),
  refundsProjection,
  commitmentsProjection,
  usageProjection(upcast),
  billingProjection,
  invoicesProjection,
  creditNotesProjection,
  cardChargesProjection,
  ledgerProjection(upcast),
];
