import type { Purchase } from './agent-buyer.js';
import { renderPurchases, succeeded } from './agent-table.js';

const transaction = `0x${'ab'.repeat(32)}`;
const settled: Purchase = {
  request: { method: 'GET', path: '/demo/slow' },
  amount: 1234n,
  decimals: 6,
  status: 200,
  settlement: { state: 'settled', transaction },
  receipt: { state: 'verified' },
  milliseconds: 311.6,
};
const pending: Purchase = { ...settled, amount: 1000n, settlement: { state: 'pending' } };
const refused: Purchase = { ...settled, amount: undefined, status: 404, error: 'route_not_found' };

describe('agent table', () => {
  it('shows price, status, settlement, receipt and time of each call', () => {
    const text = renderPurchases([settled, refused]);
    expect(text).toMatch(/GET \/demo\/slow.*\$0\.001234.*200.*settled 0xababab…abab.*✓ verified.*312/);
    expect(text).toMatch(/404.*route_not_found/);
  });

  it('says where the last receipt can be read', () => {
    const [first, second] = ['http://localhost:4020/receipts/pay_1', 'http://localhost:4020/receipts/pay_2'];
    const text = renderPurchases([{ ...settled, receiptUrl: first }, { ...settled, receiptUrl: second }, refused]);
    expect(text.split('\n').at(-2)).toBe(`last receipt: ${second}`);
  });

  it('adds up only what succeeded', () => {
    const last = renderPurchases([settled, pending, refused]).split('\n').at(-1);
    expect(last).toBe('2 paid for $0.002234, 1 settled, 1 pending, 2 receipts verified, 1 failed');
  });

  it('tells what was committed to from what is on its way to a block', () => {
    const commitment = 'com_0123456789abcdef0123456789abcdef';
    const committed: Purchase = {
      ...settled,
      settlement: { state: 'committed', commitment },
      receipt: { state: 'none' },
    };
    const text = renderPurchases([committed, pending]);
    expect(text).toMatch(/committed com_0123…cdef/);
    const totals = '2 paid for $0.002234, 1 committed, 0 settled, 1 pending, 1 receipts verified, 0 failed';
    expect(text.split('\n').at(-1)).toBe(totals);
    expect(succeeded(committed)).toBe(true);
  });

  it('takes decimals from the token, and guesses none', () => {
    const fine = { ...settled, amount: 2_000_000_000_000_000n, decimals: 18 };
    const unknown = { ...settled, amount: 7n, decimals: undefined };
    const text = renderPurchases([settled, fine, unknown]);
    expect(text).toMatch(/\$0\.002 /);
    expect(text).toContain('3 paid for $0.001234 and $0.002 and 7 atomic units, ');
  });

  it.each<[string, Partial<Purchase>, boolean]>([
    ['settled', {}, true],
    ['pending', { settlement: { state: 'pending' } }, true],
    ['without settlement', { settlement: { state: 'none' } }, false],
    ['settlement failed', { settlement: { state: 'failed' } }, false],
    ['unpaid', { amount: undefined }, false],
    ['with a receipt that does not hold', { receipt: { state: 'invalid' } }, false],
    ['refused', { error: 'quote_expired' }, false],
  ])('%s: success is decided by answer, payment and receipt', (_what, change, expected) => {
    expect(succeeded({ ...settled, ...change })).toBe(expected);
  });
});
