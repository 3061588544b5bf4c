import type { InvoiceTimes } from './invoices.js';
import { atLeast } from './statistics.js';

const whole = (value: number) => Math.round(value).toLocaleString('en');

/** @param sizes the largest last */
export function invoicesSection(sizes: readonly InvoiceTimes[]) {
  const largest = sizes.at(-1)!;
  return {
    lines: sizes.map(
      ({ bare, closed, drafted, events, invoices }) =>
        `${whole(invoices)} invoices over ${whole(events)} usage events: drafted in ${drafted.toFixed(1)} s, made final in ` +
        `${closed.toFixed(1)} s; one aggregate over the rows takes ${bare.toFixed(1)} s`,
    ),
    goals: [
      atLeast('invoices made final, times one SQL aggregate over the same rows', largest.bare / largest.closed, 0.3),
    ],
  };
}
