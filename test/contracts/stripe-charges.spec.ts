import type { CardProcessor } from '../../src/domains/settlement/cards/card-processor.js';
import { StripeProcessors } from '../../src/domains/settlement/cards/stripe.js';
import type { FailureKind } from '../stripe-server/failures.js';
import type { CardOutcome } from '../stripe-server/outcomes.js';
import { eventually } from '../support/eventually.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';
import { chargeRequest, credentialsOf, newCard } from '../support/stripe-charges.js';

const TIMEOUT_MS = 1_500;
const CHARGE = 'POST /v1/payment_intents';

let stripe: Stripe;
let account: StripeAccount;
let processor: CardProcessor;
const processors = new StripeProcessors(TIMEOUT_MS);

beforeAll(async () => {
  stripe = await Stripe.start();
});
afterAll(async () => {
  await processors.stop();
  await stripe.stop();
});
beforeEach(async () => {
  account = await stripe.account();
  processor = processors.processorOf(credentialsOf(account));
});

describe('a card', () => {
  it('is set up in the browser of its holder, and charged when nobody is there', async () => {
    const setup = { setup: 'cst_1', tenant: 'demo', customer: 'cus_1' };
    const { clientSecret, processorId } = await processor.startCardSetup(setup);
    expect(await processor.startCardSetup(setup)).toEqual({ clientSecret, processorId });
    expect(await processor.findCardSetup(processorId)).toEqual({ kind: 'waiting' });
    await account.order('fail_setup', { setup: processorId });
    expect(await processor.findCardSetup(processorId)).toEqual({ kind: 'failed', code: 'card_declined' });
    await account.order('complete_setup', { setup: processorId, card: { last4: '1881', exp_month: 4 } });
    const word = await processor.findCardSetup(processorId);
    expect(word).toMatchObject({ kind: 'ready', card: { brand: 'visa', last4: '1881', expires: '2034-04' } });
    if (word.kind !== 'ready') return;
    expect(await processor.charge(chargeRequest(word.method))).toMatchObject({ kind: 'succeeded', fee: 66n });
    const { customers, setups } = await account.book();
    expect([customers.length, setups.length, setups[0]!.usage]).toEqual([1, 1, 'off_session']);
  });

  it('of no setup is absent', async () => {
    expect(await processor.findCardSetup('seti_1')).toEqual({ kind: 'absent' });
    expect(await processor.charge(chargeRequest('pm_1'))).toMatchObject({ kind: 'declined', code: 'resource_missing' });
    expect(await processor.findCharge('chg_1', 'pm_1')).toMatchObject({ kind: 'unknown' });
  });

  it('cannot be set up while the processor is away', async () => {
    await account.fail('POST /v1/setup_intents', 'fail');
    const started = processor.startCardSetup({ setup: 'cst_1', tenant: 'demo', customer: 'cus_1' });
    await expect(started).rejects.toMatchObject({ code: 'card_processor_unavailable' });
  });
});

describe('a charge', () => {
  it('says our ids and what it is for', async () => {
    const asked = chargeRequest(await newCard(account));
    const word = await processor.charge(asked);
    expect(await processor.findCharge(asked.charge, asked.method)).toEqual(word);
    const [charge] = await account.taken(asked.charge);
    expect(charge).toMatchObject({ amount: 1_250, currency: 'usd', metadata: { tollbook_customer: 'cus_1' } });
  });

  it('is absent before it is made', async () => {
    expect(await processor.findCharge('chg_1', await newCard(account))).toEqual({ kind: 'absent' });
  });

  it.each<[CardOutcome, object]>([
    [
      { kind: 'decline', decline_code: 'insufficient_funds' },
      { kind: 'declined', code: 'insufficient_funds', final: false },
    ],
    [
      { kind: 'decline', decline_code: 'stolen_card' },
      { kind: 'declined', code: 'stolen_card', final: true },
    ],
    [{ kind: 'require_action' }, { kind: 'requires_action' }],
    [{ kind: 'process' }, { kind: 'processing' }],
    [{ kind: 'not_confirmed' }, { kind: 'unknown' }],
  ])('of which the bank says %j: the call and the look-up agree', async (outcome, word) => {
    const asked = chargeRequest(await newCard(account, outcome));
    expect(await processor.charge(asked)).toMatchObject(word);
    expect(await processor.findCharge(asked.charge, asked.method)).toEqual(await processor.charge(asked));
    expect(await account.taken()).toHaveLength(0);
    expect((await account.book()).intents).toHaveLength(1);
  });

  it.each([
    [{ amount: 49n }, 'amount_too_small'],
    [{ amount: 100_000_000n }, 'amount_too_large'],
    [{ currency: 'ISK' }, 'currency_not_supported'],
  ])('of %j is refused for good', async (change, code) => {
    const asked = chargeRequest(await newCard(account), change);
    expect(await processor.charge(asked)).toEqual({ kind: 'declined', code, final: true });
    expect((await account.book()).intents).toHaveLength(0);
  });

  it.each<[FailureKind, number]>([
    ['fail', 0],
    ['do_then_fail', 1],
    ['break_off', 0],
    ['do_then_break_off', 1],
    ['do_then_stall', 1],
    ['bad_gateway', 0],
    ['rate_limit', 0],
    ['unauthorized', 0],
    ['forbidden', 0],
  ])('that ends in %s is unknown, and taken once in the end', async (kind, taken) => {
    const asked = chargeRequest(await newCard(account));
    await account.fail(CHARGE, kind);
    expect(await processor.charge(asked)).toMatchObject({ kind: 'unknown' });
    expect(await account.taken()).toHaveLength(taken);
    expect((await account.book()).asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
    if (taken === 0) await account.order('forget_keys');
    expect(await processor.charge(asked)).toMatchObject({ kind: 'succeeded' });
    expect(await account.taken()).toHaveLength(1);
  });

  it.each(['GET /v1/payment_methods', 'GET /v1/payment_intents'])('is not made if %s fails', async (on) => {
    const asked = chargeRequest(await newCard(account));
    for (const kind of ['fail', 'break_off', 'bad_gateway', 'forbidden'] as const) {
      await account.fail(on, kind);
      expect(await processor.charge(asked)).toMatchObject({ kind: 'unknown' });
      await account.fail(on, kind);
      expect(await processor.findCharge(asked.charge, asked.method)).toMatchObject({ kind: 'unknown' });
    }
    expect((await account.book()).intents).toHaveLength(0);
  });

  it('that goes on after the time is up is taken once, however often it is asked for', async () => {
    const asked = chargeRequest(await newCard(account));
    await account.fail(CHARGE, 'hold');
    expect(await processor.charge(asked)).toMatchObject({ kind: 'unknown' });
    expect(await processor.findCharge(asked.charge, asked.method)).toEqual({ kind: 'absent' });
    expect(await processor.charge(asked)).toMatchObject({ kind: 'unknown', why: expect.stringMatching(/^409/) });
    await account.order('release');
    await eventually(async () => (await account.taken()).length === 1);
    expect(await processor.charge(asked)).toMatchObject({ kind: 'succeeded' });
    expect(await account.taken()).toHaveLength(1);
  });

  it('asked for by ten at once is taken once', async () => {
    const asked = chargeRequest(await newCard(account));
    const words = await Promise.all(Array.from({ length: 10 }, () => processor.charge(asked)));
    expect(words.some(({ kind }) => kind === 'succeeded')).toBe(true);
    expect(words.every(({ kind }) => kind === 'succeeded' || kind === 'unknown')).toBe(true);
    expect(await account.taken()).toHaveLength(1);
  });

  it('of a card that was detached meanwhile is found by a search, or kept apart by its key', async () => {
    const asked = chargeRequest(await newCard(account));
    await account.fail(CHARGE, 'do_then_break_off');
    await processor.charge(asked);
    await account.order('detach_card', { method: asked.method });
    expect(await processor.findCharge(asked.charge, asked.method)).toEqual({ kind: 'absent' });
    expect(await processor.charge(asked)).toMatchObject({ kind: 'unknown' });
    await account.order('settings', { searchLagMs: 0 });
    expect(await processor.charge(asked)).toMatchObject({ kind: 'succeeded' });
    expect(await account.taken()).toHaveLength(1);
  });

  it('is found behind many of the same customer', async () => {
    const method = await newCard(account);
    const first = chargeRequest(method);
    await processor.charge(first);
    await Promise.all(Array.from({ length: 105 }, () => processor.charge(chargeRequest(method))));
    expect(await processor.findCharge(first.charge, method)).toMatchObject({ kind: 'succeeded' });
  });

  it('says no fee in another currency', async () => {
    await account.order('settings', { balanceCurrency: 'eur' });
    expect(await processor.charge(chargeRequest(await newCard(account)))).not.toHaveProperty('fee');
  });
});
