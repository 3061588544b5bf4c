import type { Address } from '../../base/shared/hex.js';
import { freestLane, LANE_MAX } from './settler-lanes.js';

const [A, B, C]: [Address, Address, Address] = ['0xa', '0xb', '0xc'];

describe('freestLane', () => {
  it('is the one with the fewest transactions on their way, the first of equals', () => {
    expect(
      freestLane(
        [A, B, C],
        new Map([
          [A, 2],
          [B, 1],
          [C, 1],
        ]),
      ),
    ).toBe(B);
    expect(freestLane([A, B], new Map([[A, 1]]))).toBe(B);
    expect(freestLane([A, B], new Map())).toBe(A);
  });

  it('is none while each of them is full', () => {
    const full = new Map([
      [A, LANE_MAX],
      [B, LANE_MAX + 1],
    ]);
    expect(freestLane([A, B], full)).toBeUndefined();
    expect(freestLane([A, B, C], full)).toBe(C);
  });
});
