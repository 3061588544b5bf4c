import type { StoredEvent } from '../../base/event-store/event.js';
import type { UpcastStep } from '../../base/event-store/upcast.js';
import type { PaymentAuthorized } from './payment.js';
import type { Refund } from './refund.js';

/** How it was written until an account could be paid into. */
export interface PaymentAuthorizedV3 {
  readonly type: 'PaymentAuthorized';
  readonly schema: 3;
  readonly data: Omit<PaymentAuthorized['data'], 'account'>;
}

/** How it was written until a payment could be settled before its request runs. */
export interface PaymentAuthorizedV2 {
  readonly type: 'PaymentAuthorized';
  readonly schema: 2;
  readonly data: Omit<PaymentAuthorizedV3['data'], 'mode'> & { readonly mode: 'async' | 'after' };
}

/** How it was written until there were quotas: one exposure of the whole amount, or none. */
export interface PaymentAuthorizedV1 {
  readonly type: 'PaymentAuthorized';
  readonly schema: 1;
  readonly data: Omit<PaymentAuthorizedV2['data'], 'urgency' | 'class' | 'inputs' | 'holds'> & {
    readonly hold?: string;
  };
}

function authorizedFromV1(old: StoredEvent['data']): StoredEvent['data'] {
  const { hold, ...same } = old as unknown as PaymentAuthorizedV1['data'];
  const holds = hold === undefined ? [] : [{ key: hold, amount: same.terms.amount }];
  return { ...same, holds } as unknown as StoredEvent['data'];
}

/** How it was written when every refund was sent by the owner of the payee's wallet, unasked. */
export interface PaymentRefundedV1 {
  readonly type: 'PaymentRefunded';
  readonly schema: 1;
  readonly data: Omit<Refund, 'refund' | 'sender'>;
}

export const paymentUpcasts: readonly UpcastStep[] = [
  { type: 'PaymentAuthorized', from: 1, data: authorizedFromV1 },
  { type: 'PaymentAuthorized', from: 2, data: (old) => old },
  { type: 'PaymentAuthorized', from: 3, data: (old) => old },
  { type: 'PaymentRefunded', from: 1, data: (old) => old },
];
