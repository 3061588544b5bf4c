import { PriceMeter } from '../../src/domains/invoicing/settings.decide.js';
import type { MeterCharge } from '../../src/domains/invoicing/settings.js';
import { type BilledBook, TENANT } from './billed.js';
import type { ModelMeter } from './billing-model.js';

export const perUnit = (amount: string, per = 1): MeterCharge => ({ model: 'per_unit', amount, per, prorated: true });
const tiers = [{ upTo: 5, amount: '90000', flat: '250000' }, { upTo: 20, amount: '70000' }, { amount: '10000' }];
const meter = (id: string, aggregation: ModelMeter['aggregation'], charge: MeterCharge, byArrival = false) => {
  return { id, aggregation, charge, byArrival };
};
/** One of each aggregation, and one of events that count when they arrive; each by another kind of price. */
export const METERS: readonly ModelMeter[] = [
  meter('tokens', 'sum', { model: 'graduated', tiers }),
  meter('calls', 'count', perUnit('100000', 3)),
  meter('peak', 'max', { model: 'volume', tiers: [{ upTo: 10, amount: '50000' }, { amount: '20000' }] }),
  meter('people', 'unique', { model: 'package', amount: '330000', per: 2 }),
  meter('seats', 'latest', perUnit('400000')),
  meter('arrived', 'sum', perUnit('70000'), true),
];

export async function publishMeters(book: BilledBook): Promise<void> {
  for (const { aggregation, byArrival, charge, id } of METERS) {
    const value = aggregation === 'count' ? {} : { value: '/n' };
    const late = { kind: byArrival ? 'next_invoice' : 'own_period' } as const;
    await book.meter(id, { aggregation, late, ...value } as never);
    await book.execute(new PriceMeter(TENANT, id, charge));
  }
}
