import { foldPayment } from './handler-for.js';
import type { PaymentEvent, PaymentId, SettlementMode } from './payment.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideFail,
  decideRevert,
  decideSubmit,
  FailSettlement,
  RevertSettlement,
  SubmitSettlement,
} from './settle.decide.js';

const ID: PaymentId = 'pay_1';
const SETTLER = '0x5e';
const HOLDS = [
  { key: 'exposure/one', amount: '25' },
  { key: 'quota/one', amount: '1' },
];
const settled = { transaction: '0x01', blockNumber: '7', blockHash: '0xb7', logIndex: 3, by: 'settler' } as const;

function delivered(mode: SettlementMode): PaymentEvent[] {
  const data = {
    tenant: 'demo',
    mode,
    terms: { amount: '25', payer: '0x9a' },
    holds: mode === 'async' ? HOLDS : HOLDS.slice(1),
  };
  return [
    { type: 'PaymentAuthorized', schema: 4, data },
    { type: 'RequestDelivered', schema: 1, data: {} },
  ] as unknown as PaymentEvent[];
}

const submitted = (transaction: `0x${string}`, attempt: number): PaymentEvent => ({
  type: 'SettlementSubmitted',
  schema: 1,
  data: { transaction, settler: SETTLER, attempt },
});
const done: PaymentEvent = { type: 'PaymentSettled', schema: 1, data: settled };
const failed: PaymentEvent = { type: 'PaymentSettlementFailed', schema: 1, data: { reason: 'insufficient_funds' } };

describe('SubmitSettlement', () => {
  const submit = (given: PaymentEvent[], transaction: `0x${string}`) =>
    decideSubmit(foldPayment(given), new SubmitSettlement(ID, transaction, SETTLER));

  it('counts attempts', () => {
    expect(submit(delivered('async'), '0x01').events).toEqual([submitted('0x01', 1)]);
    expect(submit([...delivered('async'), submitted('0x01', 1)], '0x02').events).toEqual([submitted('0x02', 2)]);
  });

  it('counts the same transaction once', () => {
    expect(submit([...delivered('async'), submitted('0x01', 1)], '0x01').events).toEqual([]);
  });

  it.each([
    ['settled', done],
    ['failed', failed],
  ])('leaves a %s payment alone', (_, last) => {
    expect(submit([...delivered('after'), last], '0x02').events).toEqual([]);
  });

  it('leaves an undelivered payment alone', () => {
    expect(submit(delivered('after').slice(0, 1), '0x01').events).toEqual([]);
  });
});

describe('ConfirmSettlement', () => {
  const confirm = (given: PaymentEvent[]) => decideConfirm(foldPayment(given), new ConfirmSettlement(ID, settled));

  it('gives the exposure back, once', () => {
    expect(confirm(delivered('async'))).toEqual({ events: [done], holds: [{ key: 'exposure/one', delta: -25n }] });
    expect(confirm([...delivered('async'), done])).toEqual({ events: [] });
  });

  it('shortens the probation of its payer in mode after', () => {
    expect(confirm(delivered('after')).holds).toEqual([{ key: 'probation/demo/0x9a', delta: -1n }]);
  });
});

describe('FailSettlement', () => {
  const fail = (given: PaymentEvent[], judged: `0x${string}`[]) =>
    decideFail(foldPayment(given), new FailSettlement(ID, { reason: 'insufficient_funds' }, judged));

  it('keeps the exposure and begins a probation: the answer is out and not paid', () => {
    const holds = [{ key: 'probation/demo/0x9a', delta: 10n, limit: 10n }];
    expect(fail([...delivered('async'), submitted('0x01', 1)], ['0x01'])).toEqual({ events: [failed], holds });
  });

  it('holds nothing against a payer in mode after, who got no answer', () => {
    expect(fail(delivered('after'), [])).toEqual({ events: [failed], holds: [] });
  });

  it('decides nothing while a transaction that was not judged may still pay', () => {
    const given = [...delivered('after'), submitted('0x01', 1), submitted('0x02', 2)];
    expect(fail(given, ['0x01']).events).toEqual([]);
  });

  it('does not undo a settlement', () => {
    expect(fail([...delivered('after'), done], []).events).toEqual([]);
  });
});

describe('RevertSettlement', () => {
  const revert = (given: PaymentEvent[], blockHash: `0x${string}`) =>
    decideRevert(foldPayment(given), new RevertSettlement(ID, { transaction: '0x01', blockHash }));

  it('takes the exposure again, without a limit', () => {
    const plan = revert([...delivered('async'), submitted('0x01', 1), done], '0xb7');
    expect(plan.events).toEqual([
      { type: 'SettlementReverted', schema: 1, data: { transaction: '0x01', blockHash: '0xb7' } },
    ]);
    expect(plan.holds).toEqual([{ key: 'exposure/one', delta: 25n }]);
  });

  it('lengthens the probation again in mode after', () => {
    const plan = revert([...delivered('after'), done], '0xb7');
    expect(plan.holds).toEqual([{ key: 'probation/demo/0x9a', delta: 1n }]);
  });

  it('leaves a settlement in another block alone', () => {
    expect(revert([...delivered('async'), done], '0xb8')).toEqual({ events: [] });
  });

  it('leaves an open payment alone', () => {
    expect(revert([...delivered('async'), submitted('0x01', 1)], '0xb7')).toEqual({ events: [] });
  });
});
