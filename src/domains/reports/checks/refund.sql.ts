import { refundTypes } from '../../payments/refund.js';

/** SQL: a `type` says where a payment stands, which a refund does not. @param type the column */
export function notOfRefunds(type: string): string {
  return `${type} not in (${refundTypes.map((one) => `'${one}'`).join(', ')})`;
}

/** SQL: what an event sent to a payer, or took back, as a numeric; null for other events. */
export const REFUNDED = `case type when 'PaymentRefunded' then (data->>'amount')::numeric
  when 'RefundReverted' then -(data->>'amount')::numeric end`;
