import { z } from 'zod';
import { assertNever } from '../../../base/shared/assert-never.js';
import type { PricedRequest } from '../request/priced-request.js';
import { loadPermille, loadSchema } from './load.js';
import { prioritySchema } from './priority.js';
import { type ServiceClass, serviceClassSchema } from './service-class.js';
import { timeOfDaySchema, timePermille } from './time-of-day.js';
import { volumeDiscountSchema, volumePermille } from './volume-discount.js';

export const modifierSchema = z.discriminatedUnion('kind', [
  prioritySchema,
  volumeDiscountSchema,
  serviceClassSchema,
  timeOfDaySchema,
  loadSchema,
]);

export type Modifier = z.output<typeof modifierSchema>;

/** What one modifier did: the product so far times `permille` thousandths, because of `value`. */
export interface ModifierStep {
  /** JSON pointer of the modifier in the tariff. */
  readonly field: string;
  readonly rule: Modifier['kind'];
  /** The urgency, the units used, the class, the instant (epoch milliseconds) or the load. */
  readonly value: string;
  readonly permille: bigint;
}

/** Pure. `chosen` is the class of the request, if the tariff has classes. */
export function modifierStep(
  modifier: Modifier,
  field: string,
  request: PricedRequest,
  chosen: ServiceClass | undefined,
): ModifierStep {
  const rule = modifier.kind;
  switch (rule) {
    case 'priority':
      // The schema holds the list at one factor for each of the eight urgencies.
      return { field, rule, value: `${request.urgency}`, permille: modifier.permille[request.urgency]! };
    case 'volume':
      return { field, rule, value: `${request.used}`, permille: volumePermille(modifier, request.used) };
    case 'class':
      return { field, rule, value: chosen!.id, permille: chosen!.permille };
    case 'time_of_day':
      return { field, rule, value: `${request.at}`, permille: timePermille(modifier, request.at) };
    case 'load':
      return { field, rule, value: `${request.load}`, permille: loadPermille(modifier, request.load) };
    default:
      return assertNever(rule);
  }
}
