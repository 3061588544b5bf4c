import type { Account } from './account.js';
import { closeDispute, type OpenDispute, openDispute } from './disputes.js';
import type { Failure } from './failures.js';
import type { Idempotency } from './idempotency.js';
import type { Card } from './objects.js';
import { type CardOutcome, type RefundOutcome } from './outcomes.js';
import { confirm } from './payments.js';
import { finishRefund } from './refunds.js';
import { addMethod, completeSetup, createCustomer, detachMethod, failSetup } from './setups.js';
import { missing } from './stripe-error.js';

export interface Desk {
  readonly account: Account;
  readonly keys: Idempotency;
  /** Lets the requests go on that are held. */
  readonly release: () => void;
}

/** What a test may want of the processor, its banks and its card holders, by name. */
export const orders = {
  failures({ account }: Desk, { failures }: { readonly failures: readonly Failure[] }) {
    account.failures.push(...failures);
  },
  /** What is held goes on, and nothing more is held. */
  release({ account, release }: Desk) {
    account.failures.splice(0, account.failures.length, ...account.failures.filter(({ kind }) => kind !== 'hold'));
    release();
  },
  forget_keys: ({ keys }: Desk) => keys.forget(),
  settings({ account }: Desk, settings: { readonly searchLagMs?: number; readonly balanceCurrency?: string }) {
    Object.assign(account, settings);
  },
  /** A card that is ready to be charged, without a setup. */
  add_card({ account }: Desk, { card }: { readonly card?: Partial<Card> }) {
    return addMethod(account, createCustomer(account, {}).id, card);
  },
  detach_card({ account }: Desk, { method }: { readonly method: string }) {
    return detachMethod(account, known(account.methods, method));
  },
  outcomes({ account }: Desk, { method, outcomes }: { readonly method?: string; readonly outcomes: CardOutcome[] }) {
    account.outcomes.set(method ?? 'default', outcomes);
  },
  refund_outcomes({ account }: Desk, { outcomes }: { readonly outcomes: RefundOutcome[] }) {
    account.refundOutcomes.splice(0, account.refundOutcomes.length, ...outcomes);
  },
  complete_setup({ account }: Desk, { card, setup }: { readonly setup: string; readonly card?: Partial<Card> }) {
    return completeSetup(account, known(account.setups, setup), card);
  },
  fail_setup({ account }: Desk, { setup }: { readonly setup: string }) {
    failSetup(account, known(account.setups, setup));
  },
  /** Of a charge under way or one that was declined: the late word of the bank. */
  finish_intent({ account }: Desk, { intent, outcome }: { readonly intent: string; readonly outcome: CardOutcome }) {
    confirm(account, known(account.intents, intent), outcome);
  },
  finish_refund(
    { account }: Desk,
    { refund, status }: { readonly refund: string; readonly status: 'succeeded' | 'failed' },
  ) {
    finishRefund(account, known(account.refunds, refund), status);
  },
  open_dispute({ account }: Desk, { intent, ...rest }: OpenDispute & { readonly intent: string }) {
    return openDispute(account, known(account.intents, intent), rest);
  },
  close_dispute({ account }: Desk, { dispute, status }: { readonly dispute: string; readonly status: 'won' | 'lost' }) {
    closeDispute(account, known(account.disputes, dispute), status);
  },
  webhook_url({ account }: Desk, { url }: { readonly url: string }) {
    account.webhooks.url = url;
  },
  hold_webhooks: ({ account }: Desk) => account.webhooks.hold(),
  release_webhooks({ account }: Desk, { copies = 1, order = 'as_sent' }: ReleaseWebhooks) {
    return account.webhooks.release(order, copies);
  },
  /** Everything that it knows. */
  book({ account }: Desk) {
    const { charges, customers, disputes, files, intents, methods, movements, refunds, setups } = account;
    const books = { charges, customers, disputes, files, intents, methods, movements, refunds, setups };
    const lists = Object.fromEntries(Object.entries(books).map(([name, book]) => [name, [...book.values()]]));
    return { ...lists, asked: account.asked, events: account.events, deliveries: account.webhooks.deliveries };
  },
  /** Each event as a delivery would have it now. */
  signed_events: ({ account }: Desk) => account.events.map((event) => account.webhooks.signed(event)),
} as const;
export type Orders = typeof orders;

export interface ReleaseWebhooks {
  readonly order?: 'as_sent' | 'reversed';
  readonly copies?: number;
}

function known<T>(book: ReadonlyMap<string, T>, id: string): T {
  const object = book.get(id);
  if (!object) throw missing('object', id);
  return object;
}
