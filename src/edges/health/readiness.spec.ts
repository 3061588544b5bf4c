import type { Address } from '../../base/shared/hex.js';
import { verdictOnGas } from './readiness.js';

const settler = (address: Address, low: boolean) => ({ settler: address, balance: 1n, low });

describe('verdictOnGas', () => {
  it('takes requests as long as one settler has gas', () => {
    expect(verdictOnGas({ settlers: [settler('0xa', false)] })).toEqual({ says: 'ok', ready: true });
    const one = verdictOnGas({ settlers: [settler('0xa', true), settler('0xb', false)] });
    expect(one).toEqual({ says: 'low on gas: 0xa', ready: true });
  });

  it('takes none when nobody has', () => {
    const none = verdictOnGas({ settlers: [settler('0xa', true), settler('0xb', true)] });
    expect(none).toEqual({ says: 'low on gas: 0xa, 0xb', ready: false });
  });

  it('waits out a price above the cap', () => {
    const dear = verdictOnGas({ settlers: [settler('0xa', true)], capped: 'gas is dear' });
    expect(dear).toEqual({ says: 'waiting: gas is dear', ready: true });
  });
});
