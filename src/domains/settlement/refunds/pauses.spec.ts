import { Pauses } from './pauses.js';

const REF = 'ref_1_1';

describe('Pauses', () => {
  it('double, up to five minutes, until the refund is forgotten', () => {
    const pauses = new Pauses();
    expect(pauses.isOver(REF, 0)).toBe(true);
    for (const ms of [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]) {
      pauses.begin(REF, 1_000);
      expect([pauses.isOver(REF, 1_000 + ms - 1), pauses.isOver(REF, 1_000 + ms)]).toEqual([false, true]);
    }
    pauses.forget(REF);
    expect(pauses.isOver(REF, 0)).toBe(true);
  });

  it('keep the last reason', () => {
    const pauses = new Pauses();
    pauses.begin(REF, 0, 'refused');
    pauses.begin(REF, 0);
    expect(pauses.reasonOf(REF)).toBe('refused');
  });
});
