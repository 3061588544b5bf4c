import { type Account, seconds, thing } from './account.js';
import { type Form, textOf, textsOf } from './form.js';
import type { Dispute, PaymentIntent } from './objects.js';
import { invalid } from './stripe-error.js';

const FEE = 1_500;
const DAY_SECONDS = 86_400;
const OPEN = ['needs_response', 'under_review', 'warning_needs_response', 'warning_under_review'];

/** @param inquiry its holder only asks: no money moves */
export function openDispute(
  account: Account,
  intent: PaymentIntent,
  { amount = intent.amount, inquiry = false, reason = 'fraudulent' }: OpenDispute,
): Dispute {
  const charge = account.charges.get(intent.latest_charge ?? '');
  if (charge?.status !== 'succeeded') throw invalid('Nothing was charged.');
  const dispute: Dispute = {
    ...thing('dispute', 'du'),
    ...{ amount, currency: intent.currency, charge: charge.id, payment_intent: intent.id, reason },
    ...{ balance_transactions: [], evidence: {}, status: inquiry ? 'warning_needs_response' : 'needs_response' },
    evidence_details: {
      due_by: seconds() + 9 * DAY_SECONDS,
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
  };
  account.disputes.set(dispute.id, dispute);
  if (!inquiry) {
    charge.disputed = true;
    moveBack(account, dispute, -amount, FEE);
  }
  account.tell('charge.dispute.created', dispute);
  if (!inquiry) account.tell('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}
export interface OpenDispute {
  readonly amount?: number;
  readonly inquiry?: boolean;
  readonly reason?: string;
}

export function closeDispute(account: Account, dispute: Dispute, status: 'won' | 'lost'): void {
  if (dispute.status.startsWith('warning')) dispute.status = 'warning_closed';
  else {
    dispute.status = status;
    if (status === 'won') moveBack(account, dispute, dispute.amount, 0);
  }
  account.tell('charge.dispute.closed', dispute);
  if (dispute.status === 'won') account.tell('charge.dispute.funds_reinstated', dispute);
}

/** Of the test mode: what stands in the text decides. */
const VERDICTS: Record<string, 'won' | 'lost'> = { winning_evidence: 'won', losing_evidence: 'lost' };

export function updateDispute(account: Account, dispute: Dispute, form: Form): Dispute {
  if (!OPEN.includes(dispute.status)) throw invalid('This dispute is already closed', 'dispute_closed');
  if (dispute.evidence_details.submission_count > 0) throw invalid('This dispute already has evidence submitted');
  const evidence = textsOf(form, 'evidence');
  for (const [name, id] of Object.entries(evidence)) {
    if (/_file$|^receipt$/.test(name) && !account.files.has(id))
      throw invalid(`No such file: '${id}'`, 'resource_missing');
  }
  Object.assign(dispute.evidence, evidence);
  Object.assign(dispute.metadata, textsOf(form, 'metadata'));
  dispute.evidence_details.has_evidence = true;
  if (textOf(form, 'submit') !== 'false') {
    dispute.evidence_details.submission_count += 1;
    dispute.status = dispute.status.startsWith('warning') ? 'warning_under_review' : 'under_review';
  }
  account.tell('charge.dispute.updated', dispute);
  const verdict = VERDICTS[evidence.uncategorized_text ?? ''];
  if (verdict && dispute.status === 'under_review') closeDispute(account, dispute, verdict);
  return dispute;
}

function moveBack(account: Account, dispute: Dispute, amount: number, fee: number): void {
  const { currency, id: source } = dispute;
  const category = amount < 0 ? 'dispute' : 'dispute_reversal';
  const entry = { amount, fee, currency, source, type: 'adjustment', reporting_category: category } as const;
  dispute.balance_transactions.push(account.move(entry));
}
