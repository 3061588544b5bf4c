import type { Fact } from './support.js';
import { authorization } from './support.js';

/** A payment of mode `before`, by what its money and its request did, each on its own. */
export interface PaidBefore {
  readonly mode: 'before';
  readonly payer: string;
  readonly amount: bigint;
  readonly idempotent: boolean;
  /** `out`: at the payee; `back`: its block went away; `never`: it failed to settle, the first time or after that. */
  money: 'new' | 'held' | 'out' | 'back' | 'never' | 'never again';
  request: 'no' | 'running' | 'delivered' | 'owed';
  refunded: bigint;
  version: number;
}

export type Add = (account: string, posted: bigint, pending?: bigint) => void;

type Change = Partial<Pick<PaidBefore, 'money' | 'request' | 'refunded'>>;

function possible({
  amount,
  idempotent,
  money,
  refunded,
  request,
}: PaidBefore): readonly (readonly [string, Change])[] {
  if (money === 'new') return [['PaymentAuthorized', { money: 'held' }]];
  if (money === 'never') return [];
  const back: [string, Change][] = refunded > 0n ? [['RefundReverted', { refunded: refunded - 1n }]] : [];
  if (money === 'never again') return back;
  const runs: [string, Change][] = [
    ['RequestDelivered', { request: 'delivered' }],
    ['DeliveryFailed', { request: 'owed' }],
    ['DeliveryInterrupted', { request: idempotent ? 'no' : 'owed' }],
  ];
  if (money !== 'out') {
    if (request === 'running') return runs;
    return [
      ['SettlementSubmitted', {}],
      ['PaymentSettled', { money: 'out' }],
      ['PaymentSettlementFailed', { money: money === 'back' ? 'never again' : 'never' }],
      ...back,
    ];
  }
  const reverts: [string, Change] = ['SettlementReverted', { money: 'back' }];
  if (request === 'running') return [...runs, reverts];
  const refunds: [string, Change][] =
    refunded < amount
      ? [
          ['RefundRequested', { request: request === 'no' ? 'owed' : request }],
          ['PaymentRefunded', { refunded: refunded + 1n, request: request === 'no' ? 'owed' : request }],
        ]
      : [];
  const starts: [string, Change][] = request === 'no' ? [['DeliveryStarted', { request: 'running' }]] : [];
  return [...starts, ...starts, reverts, ...refunds, ...back];
}

/** Lets one of the things happen that may. */
export function happenBefore(payment: PaidBefore, stream: string, choice: number): Fact | undefined {
  const may = possible(payment);
  if (may.length === 0) return undefined;
  const [type, change] = may[choice % may.length]!;
  Object.assign(payment, change);
  const { amount, idempotent, payer } = payment;
  const begun = { ...authorization(payer, amount, false), mode: 'before', idempotent };
  return { stream, version: ++payment.version, type, data: type === 'PaymentAuthorized' ? begun : { amount: '1' } };
}

export function addBefore({ amount, money, payer, refunded, request }: PaidBefore, add: Add): void {
  if (money === 'new' || money === 'never') return;
  if (money === 'held') {
    add(`settlement_in_transit ${payer}`, 0n, amount);
    add(`deferred_revenue ${payer}`, 0n, amount);
    return;
  }
  const delivered = request === 'delivered';
  if (money === 'out') add('wallet payee', amount);
  if (money === 'back') add(`settlement_in_transit ${payer}`, amount);
  add('wallet payee', -refunded);
  if (delivered) {
    add('revenue ', amount);
    add('refunds ', refunded);
  } else if (money !== 'never again') {
    add(request === 'owed' ? `refunds_owed ${payer}` : `deferred_revenue ${payer}`, amount - refunded);
  }
  // What is out, be it an answer or a refund, is lost.
  if (money === 'never again') add('write_off ', delivered ? amount : refunded);
}
