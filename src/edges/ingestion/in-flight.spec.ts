import { InFlight } from './in-flight.js';

describe('what is under way', () => {
  it('is at most so many requests', () => {
    const inFlight = new InFlight();
    const leave = Array.from({ length: 128 }, () => inFlight.enter(1)!);
    expect(inFlight.enter(1)).toBeUndefined();
    leave[0]!();
    expect(inFlight.enter(1)).toBeInstanceOf(Function);
  });

  it('is at most so many bytes', () => {
    const inFlight = new InFlight();
    const leave = [1, 2, 3, 4].map(() => inFlight.enter(8_388_608)!);
    expect(inFlight.enter(1)).toBeUndefined();
    leave[1]!();
    expect(inFlight.enter(8_388_608)).toBeInstanceOf(Function);
  });
});
