import type { Tariff } from './tariff.schemas.js';

/** When the tariff's period that holds `at` began: midnight UTC of its day, or of the first of its month. Epoch milliseconds. */
export function periodStart({ period }: Pick<Tariff, 'period'>, at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), period === 'month' ? 1 : date.getUTCDate());
}
