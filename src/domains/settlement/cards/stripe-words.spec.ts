import type Stripe from 'stripe';
import { chargeWordOf, refundWordOf } from './stripe-errors.js';
import { hintOf } from './stripe-webhook.js';
import { bestOf, declineOf, wordOfIntent, wordOfRefund, wordOfSetup, wordsOfDispute } from './stripe-words.js';

const KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';

function intent(change: object): Stripe.PaymentIntent {
  const base = { id: 'pi_1', currency: 'usd', last_payment_error: null, latest_charge: null, status: 'succeeded' };
  return { ...base, ...change } as Stripe.PaymentIntent;
}

function error(statusCode: number | undefined, change: object = {}) {
  return { statusCode, message: 'no', rawType: 'invalid_request_error', ...change };
}

describe('a decline', () => {
  it.each([
    [{ code: 'card_declined', decline_code: 'insufficient_funds' }, 'insufficient_funds', false],
    [{ code: 'card_declined', decline_code: 'stolen_card' }, 'stolen_card', true],
    [{ code: 'expired_card', decline_code: 'expired_card' }, 'expired_card', true],
    [{ code: 'expired_card' }, 'expired_card', true],
    [{ code: 'card_declined', decline_code: 'do_not_honor', advice_code: 'do_not_try_again' }, 'do_not_honor', true],
    [{ code: 'card_declined', decline_code: 'lost_card', advice_code: 'try_again_later' }, 'lost_card', false],
    [{}, 'card_declined', false],
  ])('%j', (said, code, final) => {
    expect(declineOf(said, 'pi_1')).toEqual({ kind: 'declined', processorId: 'pi_1', code, final });
  });

  it('is none if its holder has to prove who they are', () => {
    const said = { code: 'authentication_required', decline_code: 'authentication_required' };
    expect(declineOf(said, 'pi_1')).toEqual({ kind: 'requires_action', processorId: 'pi_1' });
  });
});

describe('an error', () => {
  it.each([
    [error(undefined, { rawType: undefined, message: 'Request aborted' })],
    [error(400, { rawType: 'idempotency_error' })],
    [error(400, { code: 'rate_limit' })],
    [error(401)],
    [error(403)],
    [error(404, { code: 'resource_missing' })],
    [error(409, { rawType: 'idempotency_error' })],
    [error(429, { code: 'lock_timeout' })],
    [error(500, { rawType: 'api_error' })],
  ])('%j is never a decline', (said) => {
    expect(chargeWordOf(said, KEY)).toMatchObject({ kind: 'unknown' });
    expect(refundWordOf(said, KEY)).toMatchObject({ kind: 'unknown' });
  });

  it('is one if the request was refused', () => {
    const said = error(400, { code: 'amount_too_small' });
    expect(chargeWordOf(said, KEY)).toEqual({ kind: 'declined', code: 'amount_too_small', final: true });
    expect(refundWordOf(said, KEY)).toEqual({ kind: 'failed', code: 'amount_too_small' });
  });

  it('does not repeat the key', () => {
    expect(chargeWordOf(error(500, { message: `${KEY}\nno` }), KEY)).toEqual({
      kind: 'unknown',
      why: `500: ${'\ufffd'.repeat(KEY.length + 1)}no`,
    });
  });
});

describe('a payment', () => {
  it.each([
    [{ status: 'processing' }, { kind: 'processing', processorId: 'pi_1' }],
    [{ status: 'requires_action' }, { kind: 'requires_action', processorId: 'pi_1' }],
    [{ status: 'canceled' }, { kind: 'declined', processorId: 'pi_1', code: 'canceled', final: false }],
    [
      { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } },
      { kind: 'declined', processorId: 'pi_1', code: 'card_declined', final: false },
    ],
    [{ status: 'requires_payment_method' }, { kind: 'unknown', why: 'the processor says requires_payment_method' }],
    [{ status: 'requires_confirmation' }, { kind: 'unknown', why: 'the processor says requires_confirmation' }],
    [{ status: 'something_new' }, { kind: 'unknown', why: 'the processor says something_new' }],
  ])('%j', (change, word) => expect(wordOfIntent(intent(change))).toEqual(word));

  it.each([
    [{ balance_transaction: { fee: 66, currency: 'usd' } }, { fee: 66n }],
    [{ balance_transaction: { fee: 61, currency: 'eur' } }, {}],
    [{ balance_transaction: null }, {}],
    ['ch_1', {}],
  ])('whose balance says %j', (latest_charge, fee) => {
    expect(wordOfIntent(intent({ latest_charge }))).toEqual({ kind: 'succeeded', processorId: 'pi_1', ...fee });
  });

  it('that took money is the one told of, if there are several', () => {
    const statuses = ['canceled', 'succeeded', 'requires_payment_method', 'processing'];
    expect(bestOf(statuses.map((status) => intent({ status })))?.status).toBe('succeeded');
    expect(bestOf([])).toBeUndefined();
  });
});

describe('a dispute', () => {
  const entries = [
    { fee: 1_500, currency: 'usd' },
    { fee: -500, currency: 'usd' },
    { fee: 7, currency: 'eur' },
  ];
  const dispute = (status: string) =>
    ({
      ...{ id: 'du_1', amount: 1_250, currency: 'usd', reason: 'fraudulent', status, balance_transactions: entries },
      evidence_details: { due_by: 1_796_093_510 },
    }) as Stripe.Dispute;

  it('says what it took, and its fees', () => {
    expect(wordsOfDispute('pi_1', dispute('needs_response'))).toEqual([
      {
        ...{ disputeId: 'du_1', processorId: 'pi_1', amount: 1_250n, fee: 1_000n, reason: 'fraudulent' },
        ...{ status: 'needs_response', evidenceDue: '2026-12-01T02:51:50.000Z' },
      },
    ]);
  });

  it.each([
    ['won', ['won']],
    ['lost', ['lost']],
    ['under_review', ['under_review']],
    ['appeal_under_review', ['lost']],
    ['warning_needs_response', []],
    ['warning_closed', []],
    ['prevented', []],
    ['something_new', []],
  ])('that is %s', (status, expected) => {
    expect(wordsOfDispute('pi_1', dispute(status)).map((word) => word.status)).toEqual(expected);
  });
});

describe('a refund', () => {
  it.each([
    ['succeeded', { kind: 'succeeded', processorId: 're_1' }],
    ['pending', { kind: 'processing', processorId: 're_1' }],
    ['requires_action', { kind: 'processing', processorId: 're_1' }],
    ['canceled', { kind: 'failed', processorId: 're_1', code: 'canceled' }],
    [null, { kind: 'unknown', why: 'the processor says null' }],
  ])('that is %s', (status, word) => expect(wordOfRefund({ id: 're_1', status } as Stripe.Refund)).toEqual(word));
});

describe('a setup', () => {
  const setup = (change: object) =>
    wordOfSetup({
      ...{ last_setup_error: null, payment_method: null, status: 'requires_payment_method' },
      ...change,
    } as Stripe.SetupIntent);

  it('is ready with a card', () => {
    const card = { brand: 'visa', last4: '4242', exp_month: 4, exp_year: 2030 };
    expect(setup({ status: 'succeeded', payment_method: { id: 'pm_1', card } })).toEqual({
      kind: 'ready',
      method: 'pm_1',
      card: { brand: 'visa', last4: '4242', expires: '2030-04' },
    });
  });

  it('waits, or fails', () => {
    expect(setup({})).toEqual({ kind: 'waiting' });
    expect(setup({ last_setup_error: { code: 'card_declined' } })).toEqual({ kind: 'failed', code: 'card_declined' });
    expect(setup({ status: 'canceled' })).toEqual({ kind: 'failed', code: 'canceled' });
  });
});

describe('a hint', () => {
  it.each([
    [
      { object: 'payment_intent', id: 'pi_1', metadata: { tollbook_charge: 'chg_1' } },
      { charge: 'chg_1', processorId: 'pi_1' },
    ],
    [{ object: 'dispute', id: 'du_1', payment_intent: 'pi_1', metadata: {} }, { processorId: 'pi_1' }],
    [{ object: 'setup_intent', id: 'seti_1', metadata: null }, { setup: 'seti_1' }],
    [{ object: 'payout', id: 'po_1' }, {}],
    [{ object: 'charge', payment_intent: null, metadata: { tollbook_charge: 7 } }, {}],
    [undefined, {}],
  ])('of %j', (object, hint) => expect(hintOf({ data: { object } })).toEqual(hint));
});
