import { type EventShape, shapeChecker } from './base/event-store/event-shape.js';
import { restorationShapes, restorationUpcasts } from './base/event-store/seals/restorations.shapes.js';
import { type UpcastStep, upcasterOf } from './base/event-store/upcast.js';
import { accountShapes } from './domains/customers/account.shapes.js';
import { allowanceShapes } from './domains/customers/allowance.shapes.js';
import { customerShapes } from './domains/customers/customer.shapes.js';
import { customerKeyShapes, customerKeyUpcasts } from './domains/customers/customer-key.shapes.js';
import { customerTariffShapes } from './domains/customers/customer-tariff.shapes.js';
import { standingShapes } from './domains/customers/standing.shapes.js';
import { tenantKeyShapes } from './domains/customers/tenant-key.shapes.js';
import { invoiceShapes, invoiceUpcasts } from './domains/invoicing/invoice.shapes.js';
import { prepaidShapes } from './domains/invoicing/prepaid.shapes.js';
import { invoicingSettingsShapes } from './domains/invoicing/settings.shapes.js';
import { limitShapes, limitUpcasts } from './domains/limits/limit.shapes.js';
import { meterShapes } from './domains/metering/meter.shapes.js';
import { usageShapes } from './domains/metering/usage-ingested.shapes.js';
import { commitmentShapes } from './domains/payments/commitment.shapes.js';
import { freeRequestShapes } from './domains/payments/free-request.shapes.js';
import { freeRequestUpcasts } from './domains/payments/free-request.upcasts.js';
import { paymentShapes } from './domains/payments/payment.shapes.js';
import { paymentUpcasts } from './domains/payments/payment.upcasts.js';
import { probationShapes } from './domains/payments/probation.shapes.js';
import { refundShapes } from './domains/payments/refund.shapes.js';
import { transferShapes } from './domains/payments/transfer.shapes.js';
import { publicationShapes, publicationUpcasts } from './domains/pricing/publication.shapes.js';
import { cardAccountShapes } from './domains/settlement/cards/card-account.shapes.js';
import { cardChargeShapes } from './domains/settlement/cards/card-charge.shapes.js';
import { cardSetupShapes } from './domains/settlement/cards/card-setup.shapes.js';
import { facilitatorListShapes } from './domains/settlement/facilitators/facilitator-list.shapes.js';
import { networkFeeShapes } from './domains/settlement/network-fee.shapes.js';
import { walletShapes } from './domains/settlement/wallet.shapes.js';

/** Every shape that was ever stored, old versions included. docs/events is made from it. */
export const eventShapes: readonly EventShape[] = [
  ...publicationShapes,
  ...customerShapes,
  ...standingShapes,
  ...customerKeyShapes,
  ...tenantKeyShapes,
  ...limitShapes,
  ...meterShapes,
  ...usageShapes,
  ...allowanceShapes,
  ...customerTariffShapes,
  ...accountShapes,
  ...paymentShapes,
  ...refundShapes,
  ...probationShapes,
  ...freeRequestShapes,
  ...commitmentShapes,
  ...invoiceShapes,
  ...prepaidShapes,
  ...invoicingSettingsShapes,
  ...facilitatorListShapes,
  ...cardAccountShapes,
  ...cardSetupShapes,
  ...cardChargeShapes,
  ...networkFeeShapes,
  ...transferShapes,
  ...walletShapes,
  ...restorationShapes,
];

const upcastSteps: readonly UpcastStep[] = [
  ...restorationUpcasts,
  ...publicationUpcasts,
  ...limitUpcasts,
  ...customerKeyUpcasts,
  ...paymentUpcasts,
  ...freeRequestUpcasts,
  ...invoiceUpcasts,
];

/** Lifts what is stored to the newest version of its type. */
export const upcast = upcasterOf(upcastSteps);

/** What is wrong with a stored event, taken as it was written; `undefined` if nothing is. */
export const checkShape = shapeChecker(eventShapes);
