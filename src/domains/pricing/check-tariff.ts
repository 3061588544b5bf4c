import { Problem } from '../../base/shared/problem.js';
import { DEFAULT_URGENCY } from './priority.js';
import { price } from './tariff.js';
import { type Charge, type Tariff, tariffSchema } from './tariff.schemas.js';

export interface TariffError {
  /** JSON pointer of the member at fault; `""` is the tariff itself. */
  readonly field: string;
  readonly message: string;
}

/** Everything that speaks against publishing these rules; empty if nothing does. */
export function checkTariff(rules: unknown): readonly TariffError[] {
  const parsed = tariffSchema.safeParse(rules);
  if (parsed.success) return [...checkBounds(parsed.data), ...checkSmallest(parsed.data)];
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

function checkBounds({ minimum, maximum }: Tariff): readonly TariffError[] {
  if (minimum === undefined || maximum === undefined || minimum <= maximum) return [];
  return [{ field: '/minimum', message: 'is above the maximum' }];
}

/** No request may come out free, or below one atomic unit, by accident. */
function checkSmallest(tariff: Tariff): readonly TariffError[] {
  if (tariff.minimum !== undefined || tariff.charges.every((charge) => charge.amount === 0n)) return [];
  const least = leastSum(tariff.charges);
  if (least === 0n) {
    return [{ field: '/minimum', message: 'some requests would be free; say "minimum": "0" if that is meant' }];
  }
  const { modifiers } = tariff;
  const numerator = modifiers.reduce((product, { permille }) => product * smallest(permille), least);
  if (numerator >= 1000n ** BigInt(modifiers.length)) return [];
  return [
    { field: '/modifiers', message: 'would bring a price below one atomic unit; raise the charge or set a minimum' },
  ];
}

/** The sum for a request without a body, which nothing undercuts. */
function leastSum(charges: readonly Charge[]): bigint {
  const nothing = { urgency: DEFAULT_URGENCY, bodyBytes: 0, bodyJson: () => ({}) };
  const withoutCeiling = charges.map(dropDefaults);
  return price({ charges: withoutCeiling, modifiers: [] }, nothing).amount;
}

/** A caller may set the ceiling on the answer to 0, so its default promises nothing. */
function dropDefaults(charge: Charge): Charge {
  if (charge.model !== 'per_unit' || charge.quantity.source !== 'text_tokens') return charge;
  return { ...charge, quantity: { ...charge.quantity, plus: undefined } };
}

function smallest(values: readonly bigint[]): bigint {
  return [...values].sort((a, b) => (a < b ? -1 : 1))[0]!;
}
