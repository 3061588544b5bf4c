/** Objects of the API, with the members that it shows and that somebody here reads. Amounts are whole minor units. */
interface Thing {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly livemode: false;
  metadata: Record<string, string>;
}

export interface Customer extends Thing {
  readonly object: 'customer';
  readonly description: string | null;
}

export interface Card {
  readonly brand: string;
  readonly last4: string;
  readonly exp_month: number;
  readonly exp_year: number;
}

export interface PaymentMethod extends Thing {
  readonly object: 'payment_method';
  readonly type: 'card';
  readonly card: Card;
  /** `null` once it is detached: nobody can use it any more. */
  customer: string | null;
}

export interface SetupIntent extends Thing {
  readonly object: 'setup_intent';
  readonly client_secret: string;
  readonly customer: string | null;
  readonly usage: string;
  status: 'requires_payment_method' | 'succeeded' | 'canceled';
  payment_method: string | null;
  last_setup_error: object | null;
}

export interface PaymentError {
  readonly type: 'card_error';
  readonly code: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
  readonly message: string;
}

export interface PaymentIntent extends Thing {
  readonly object: 'payment_intent';
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description: string | null;
  readonly payment_method: string;
  readonly capture_method: string;
  amount_received: number;
  latest_charge: string | null;
  last_payment_error: PaymentError | null;
  status:
    | 'requires_payment_method'
    | 'requires_confirmation'
    | 'requires_action'
    | 'processing'
    | 'succeeded'
    | 'canceled';
}

export interface Charge extends Thing {
  readonly object: 'charge';
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly payment_intent: string;
  readonly payment_method: string;
  readonly status: 'succeeded' | 'failed';
  readonly paid: boolean;
  readonly failure_code: string | null;
  amount_refunded: number;
  refunded: boolean;
  disputed: boolean;
  /** `null` until the books have it, which with the usual way of capturing is after the answer. */
  balance_transaction: string | null;
}

export interface BalanceTransaction {
  readonly id: string;
  readonly object: 'balance_transaction';
  readonly created: number;
  readonly amount: number;
  readonly fee: number;
  readonly net: number;
  readonly currency: string;
  readonly type: 'charge' | 'refund' | 'refund_failure' | 'adjustment';
  readonly reporting_category: 'charge' | 'refund' | 'refund_failure' | 'dispute' | 'dispute_reversal';
  readonly source: string;
}

export interface Refund extends Thing {
  readonly object: 'refund';
  readonly amount: number;
  readonly currency: string;
  readonly charge: string;
  readonly payment_intent: string;
  status: 'pending' | 'succeeded' | 'failed' | 'canceled' | 'requires_action';
  failure_reason?: string;
  balance_transaction: string | null;
}

export interface Dispute extends Thing {
  readonly object: 'dispute';
  readonly amount: number;
  readonly currency: string;
  readonly charge: string;
  readonly payment_intent: string;
  readonly reason: string;
  readonly balance_transactions: BalanceTransaction[];
  evidence: Record<string, string>;
  evidence_details: { readonly due_by: number; has_evidence: boolean; past_due: boolean; submission_count: number };
  status:
    | ('needs_response' | 'under_review' | 'won' | 'lost')
    | ('warning_needs_response' | 'warning_under_review' | 'warning_closed');
}

/** A file that was sent, of which the book keeps how long it is. */
export interface FileSent extends Thing {
  readonly object: 'file';
  readonly purpose: string;
  readonly filename: string;
  readonly size: number;
}

export interface WebhookEvent {
  readonly id: string;
  readonly object: 'event';
  readonly api_version: string;
  readonly created: number;
  readonly livemode: false;
  readonly pending_webhooks: number;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly type: string;
  /** As it was then. */
  readonly data: { readonly object: object };
}
