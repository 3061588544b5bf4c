import { type TimeOfDay, timePermille } from './modifiers/time-of-day.js';
import type { Tariff } from './tariff.schemas.js';

const MINUTE_MS = 60_000;

/**
 * Instants (epoch milliseconds) that between them have every price that a tariff asked from `from` to `to`, both
 * included, newest first. Only local time changes it by itself, on whole minutes.
 */
export function listPriceInstants({ modifiers }: Tariff, from: number, to: number): readonly number[] {
  const clocks = modifiers.filter((modifier): modifier is TimeOfDay => modifier.kind === 'time_of_day');
  if (clocks.length === 0) return [to];
  const factors = (at: number) => clocks.map((clock) => timePermille(clock, at)).join(' ');
  const instants = [to];
  for (let minute = Math.floor(to / MINUTE_MS) * MINUTE_MS; minute > from; minute -= MINUTE_MS) {
    if (factors(minute - 1) !== factors(minute)) instants.push(minute - 1);
  }
  return instants;
}
