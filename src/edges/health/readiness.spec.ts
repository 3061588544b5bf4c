import type { Address } from '../../base/shared/hex.js';
import { type ChainVerdict, verdictOnChains, verdictOnGas } from './readiness.js';

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

describe('verdictOnChains', () => {
  const fine = { says: 'ok', ready: true };
  const away = { says: 'unreachable', ready: false };
  const low = { says: 'low on gas: 0xa', ready: false };
  const on = (id: number, chain = fine, settlers = fine): ChainVerdict => ({
    network: `eip155:${id}`,
    chain,
    settlers,
  });

  it('says no more than it did when there is one chain', () => {
    expect(verdictOnChains([on(1)])).toEqual({ chain: fine, settlers: fine });
    expect(verdictOnChains([on(1, away, low)])).toEqual({ chain: away, settlers: low });
  });

  it('names those of several that cannot be used, and takes requests for the others', () => {
    const says = 'eip155:2: unreachable; eip155:3: unreachable';
    expect(verdictOnChains([on(1), on(2, away), on(3, away)])).toEqual({
      chain: { says, ready: true },
      settlers: fine,
    });
    const { settlers } = verdictOnChains([on(1, fine, low), on(2)]);
    expect(settlers).toEqual({ says: 'eip155:1: low on gas: 0xa', ready: true });
  });

  it('takes none when each lacks something', () => {
    const { chain, settlers } = verdictOnChains([on(1, away), on(2, fine, low)]);
    expect([chain.ready, settlers.ready]).toEqual([false, false]);
  });
});
