import { type Beside, DescribeCustomer, decideDescribe, decideErase, EraseCustomer } from './customer.decide.js';
import { type Customer, type CustomerEvent, evolveCustomer, unknownCustomer } from './customer.js';

const NOW = Date.UTC(2026, 10, 23);
const payer = `0x${'5c'.repeat(20)}` as const;
const nothing: Beside = { version: 4, details: {}, kept: [] };
const answer = { table: 'answers', key: { payment_id: 'pay_1' } } as const;

const described: CustomerEvent = { type: 'CustomerDescribed', schema: 1, data: { payer, fields: ['name', 'email'] } };
const erased: CustomerEvent = { type: 'CustomerErased', schema: 1, data: { payer } };
const fold = (...events: CustomerEvent[]) => events.reduce<Customer>(evolveCustomer, unknownCustomer);

describe('DescribeCustomer', () => {
  const details = { name: 'Ada', email: 'ada@example.com' };
  const describeAs = (state: Customer, beside: Beside) =>
    decideDescribe(state, new DescribeCustomer('demo', payer, details), beside, NOW);
  const row = { tenant: 'demo', payer, ...details, revision: 5, updated_at: new Date(NOW) };

  it('stores the values beside an event that only names their fields', () => {
    expect(describeAs(unknownCustomer, nothing)).toEqual({
      events: [described],
      attachments: [{ table: 'customer_details', row }],
    });
  });

  it('changes nothing if the same is noted already', () => {
    expect(describeAs(fold(described), { ...nothing, details })).toEqual({ events: [] });
  });

  it.each([
    ['another value', { name: 'Ada', email: 'other@example.com' }],
    ['one value more', { ...details, note: 'pays late' }],
  ])('replaces all if there was %s', (_what, before) => {
    expect(describeAs(fold(described), { ...nothing, details: before }).events).toEqual([described]);
  });

  it('may follow an erasure', () => {
    expect(describeAs(fold(described, erased), nothing).events).toEqual([described]);
  });
});

describe('EraseCustomer', () => {
  const erase = (state: Customer, beside: Beside) => decideErase(state, new EraseCustomer('demo', payer), beside);
  const row = { table: 'customer_details', key: { tenant: 'demo', payer } };

  it('removes the row, and what else is kept, with the event', () => {
    expect(erase(fold(described), { ...nothing, kept: [answer] })).toEqual({
      events: [erased],
      removals: [row, answer],
    });
  });

  it('erases what is kept for a payer about whom nothing was noted', () => {
    expect(erase(unknownCustomer, { ...nothing, kept: [answer] }).events).toEqual([erased]);
  });

  it.each([
    ['an unknown payer', unknownCustomer],
    ['one that was erased', fold(described, erased)],
  ])('finds nothing to do for %s', (_who, state) => {
    expect(erase(state, nothing)).toEqual({ events: [] });
  });
});
