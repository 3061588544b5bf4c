import { Problem } from '../../base/shared/problem.js';
import { type CountedCharge, isCounted } from './charges/charge.js';
import { leastOfCharge } from './charges/least-charge.js';
import { classesIn } from './condition.js';
import { add, type Fraction, isLess, lesser, whole, ZERO } from './fraction.js';
import { quantityKey } from './request/quantity.js';
import { type Tariff, tariffSchema } from './tariff.schemas.js';

export interface TariffError {
  /** JSON pointer of the member at fault; `""` is the tariff itself. */
  readonly field: string;
  readonly message: string;
}

/** Everything that speaks against publishing these rules; empty if nothing does. */
export function checkTariff(rules: unknown): readonly TariffError[] {
  const parsed = tariffSchema.safeParse(rules);
  if (parsed.success) return checks.flatMap((check) => check(parsed.data));
  return parsed.error.issues.map((issue) => ({
    field: issue.path.map((part) => `/${String(part)}`).join(''),
    message: issue.message,
  }));
}

/** Rules ready to price with. Throws `Problem` (invalid_request) that names each field at fault. */
export function parseTariff(rules: unknown): Tariff {
  const errors = checkTariff(rules);
  if (errors.length === 0) return tariffSchema.parse(rules);
  throw new Problem('invalid_request', errors.map(({ field, message }) => `tariff${field}: ${message}`).join('; '));
}

const checks = [checkBounds, checkStatements, checkClasses, checkPeriod, checkSmallest] as const;

function checkBounds(tariff: Tariff): readonly TariffError[] {
  const bounded = [{ field: '', rule: tariff }, ...tariff.charges.map((rule, n) => ({ field: `/charges/${n}`, rule }))];
  return bounded
    .filter(({ rule: { maximum, minimum } }) => minimum !== undefined && maximum !== undefined && minimum > maximum)
    .map(({ field }) => ({ field: `${field}/minimum`, message: 'is above the maximum' }));
}

/** What counts for an absent statement is no more than what counts for an unreadable one. */
function checkStatements({ charges }: Tariff): readonly TariffError[] {
  return charges.flatMap((charge, index) => {
    if (charge.model === 'flat') return [];
    const member = charge.model === 'dynamic' ? 'price' : 'quantity';
    const quantity = charge.model === 'dynamic' ? charge.price : charge.quantity;
    const stated =
      quantity.source === 'field' ? quantity : quantity.source === 'text_tokens' ? quantity.plus : undefined;
    if (stated === undefined || stated.default <= stated.maximum) return [];
    const field = `/charges/${index}/${member}${quantity.source === 'text_tokens' ? '/plus' : ''}/default`;
    return [{ field, message: 'is above the maximum' }];
  });
}

function checkClasses({ charges, modifiers }: Tariff): readonly TariffError[] {
  const [first, second] = modifiers.flatMap((modifier, index) =>
    modifier.kind === 'class' ? [{ modifier, index }] : [],
  );
  if (second !== undefined) return [{ field: `/modifiers/${second.index}`, message: 'a request has one class' }];
  const known = first?.modifier.classes.map(({ id }) => id) ?? [];
  const conditions = [
    ...charges.map(({ when }, index) => ({ field: `/charges/${index}/when`, when })),
    ...modifiers.map(({ when }, index) => ({ field: `/modifiers/${index}/when`, when })),
  ];
  return conditions.flatMap(({ field, when }) => {
    const unknown = when && classesIn(when).find((id) => !known.includes(id));
    return unknown === undefined ? [] : [{ field, message: `no class ${unknown} is offered` }];
  });
}

/** A payer's usage is one number: it can be counted over a period only if there is one thing to count. */
function checkPeriod({ charges, modifiers, period }: Tariff): readonly TariffError[] {
  const overPeriod = charges.findIndex((charge) => isCounted(charge) && charge.over === 'period');
  if (overPeriod < 0 && !modifiers.some(({ kind }) => kind === 'volume')) return [];
  if (period === undefined) return [{ field: '/period', message: 'say day or month: some rules count over a period' }];
  const quantities = new Set(charges.filter(isCounted).map(({ quantity }: CountedCharge) => quantityKey(quantity)));
  if (overPeriod < 0 || quantities.size === 1) return [];
  return [{ field: `/charges/${overPeriod}/over`, message: 'over the period a tariff counts one quantity only' }];
}

/** No request may come out free, or below one atomic unit, by accident. */
function checkSmallest({ charges, minimum, modifiers }: Tariff): readonly TariffError[] {
  const leasts = charges.map(leastOfCharge);
  if (minimum !== undefined || leasts.every((least) => least === 'free')) return [];
  const sum = leasts.reduce<Fraction>((total, least) => add(total, least === 'free' ? ZERO : least), ZERO);
  if (sum.numerator === 0n) {
    return [{ field: '/minimum', message: 'some requests would be free; say "minimum": "0" if that is meant' }];
  }
  let { denominator, numerator } = sum;
  for (const modifier of modifiers) {
    numerator *= leastPermille(modifier);
    denominator *= 1000n;
  }
  if (!isLess({ numerator, denominator }, whole(1n))) return [];
  return [
    { field: '/modifiers', message: 'would bring a price below one atomic unit; raise the charge or set a minimum' },
  ];
}

function leastPermille(modifier: Tariff['modifiers'][number]): bigint {
  switch (modifier.kind) {
    case 'priority':
      return least(modifier.permille);
    case 'volume':
      return least(modifier.tiers.map(({ permille }) => permille));
    case 'class':
      return least(modifier.classes.map(({ permille }) => permille));
    case 'time_of_day':
      return least([1000n, ...modifier.windows.map(({ permille }) => permille)]);
    case 'load':
      return 1000n;
  }
}

function least(values: readonly bigint[]): bigint {
  return values.reduce(lesser);
}
