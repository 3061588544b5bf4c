import { type Add, addBefore, happenBefore, type PaidBefore } from './model-before.js';
import type { Fact } from './support.js';
import { authorization } from './support.js';

/** The reference: no postings, only what each payment comes to in the state it is in. */
export interface ModelPayment {
  readonly payer: string;
  readonly amount: bigint;
  readonly hold: boolean;
  state: 'new' | 'authorized' | 'interrupted' | 'released' | 'delivered' | 'submitted' | 'settled' | 'failed';
  /** Its block went away at least once: its answer is out, so it cannot be undone any more. */
  returned: boolean;
  refunded: bigint;
  version: number;
}

/** What may happen to a payment, and the state that it leads to. */
const steps: Readonly<Record<ModelPayment['state'], readonly (readonly [string, ModelPayment['state']])[]>> = {
  new: [['PaymentAuthorized', 'authorized']],
  authorized: [
    ['RequestDelivered', 'delivered'],
    ['RequestDelivered', 'delivered'],
    ['DeliveryFailed', 'released'],
    ['DeliveryInterrupted', 'interrupted'],
  ],
  interrupted: [['DeliveryRestarted', 'authorized']],
  delivered: [
    ['SettlementSubmitted', 'submitted'],
    ['PaymentSettled', 'settled'],
    ['PaymentSettlementFailed', 'failed'],
  ],
  submitted: [
    ['SettlementSubmitted', 'submitted'],
    ['PaymentSettled', 'settled'],
    ['PaymentSettlementFailed', 'failed'],
  ],
  settled: [
    ['SettlementReverted', 'submitted'],
    ['PaymentRefunded', 'settled'],
  ],
  released: [],
  failed: [],
};

/** Lets one of the things happen that may; `undefined` if nothing may any more. */
export function happen(payment: ModelPayment | PaidBefore, stream: string, choice: number): Fact | undefined {
  if ('mode' in payment) return happenBefore(payment, stream, choice);
  const possible = steps[payment.state];
  if (possible.length === 0) return undefined;
  const [type, state] = possible[choice % possible.length]!;
  payment.state = state;
  if (type === 'SettlementReverted') payment.returned = true;
  if (type === 'PaymentRefunded') payment.refunded += 1n;
  const data =
    type === 'PaymentAuthorized' ? authorization(payment.payer, payment.amount, payment.hold) : { amount: '1' };
  return { stream, version: ++payment.version, type, data };
}

export interface Net {
  posted: bigint;
  pending: bigint;
}

/** Balances by account, `customer_receivable 0x…`; accounts with nothing on them are left out. */
export function balances(payments: readonly (ModelPayment | PaidBefore)[]): Map<string, Net> {
  const all = new Map<string, Net>();
  const add = (account: string, posted: bigint, pending = 0n) => {
    const net = all.get(account) ?? { posted: 0n, pending: 0n };
    all.set(account, { posted: net.posted + posted, pending: net.pending + pending });
  };
  for (const payment of payments) {
    if ('mode' in payment) {
      addBefore(payment, add);
      continue;
    }
    payment.hold ? addOnCredit(payment, add) : addPaidFirst(payment, add);
    add('refunds ', payment.refunded);
    add('wallet payee', -payment.refunded);
  }
  return new Map([...all].filter(([, { pending, posted }]) => posted !== 0n || pending !== 0n));
}

function addOnCredit({ amount, payer, state }: ModelPayment, add: Add): void {
  if (state === 'authorized') {
    add(`customer_receivable ${payer}`, 0n, amount);
    add('revenue ', 0n, amount);
  }
  if (!['delivered', 'submitted', 'settled', 'failed'].includes(state)) return;
  add('revenue ', amount);
  if (state === 'settled') add('wallet payee', amount);
  else add(`customer_receivable ${payer}`, amount, state === 'submitted' ? -amount : 0n);
  if (state === 'submitted') add(`settlement_in_transit ${payer}`, 0n, amount);
}

function addPaidFirst({ amount, payer, returned, state }: ModelPayment, add: Add): void {
  if (returned || state === 'settled') {
    add('revenue ', amount);
    if (state === 'settled') add('wallet payee', amount);
    else if (state === 'failed') add('write_off ', amount);
    else add(`settlement_in_transit ${payer}`, amount);
  } else if (['authorized', 'delivered', 'submitted'].includes(state)) {
    add(`settlement_in_transit ${payer}`, 0n, amount);
    add(`deferred_revenue ${payer}`, 0n, amount);
  }
}

/** What `limits/` holds for a payer: taken by authorization, given back by settlement or release, and never by failing. */
export function heldFor(payments: readonly (ModelPayment | PaidBefore)[], payer: string): bigint {
  const open = ['authorized', 'delivered', 'submitted', 'failed'];
  return payments
    .filter(
      (payment) => !('mode' in payment) && payment.hold && payment.payer === payer && open.includes(payment.state),
    )
    .reduce((sum, { amount }) => sum + amount, 0n);
}
