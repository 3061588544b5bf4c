import { z } from 'zod';
import { conditionSchema } from '../condition.js';
import { type Fact, UNREADABLE } from '../request/fact.js';
import { fieldSchema } from '../request/field.js';
import type { PricedRequest } from '../request/priced-request.js';
import { permille } from '../tariff-fields.js';

const CLASSES_MAX = 8;
/** Goes into offers and events. */
const CLASS_ID = /^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/;

/** A factor for each quality of service. The first class is the one of requests that choose none. */
export const serviceClassSchema = z.strictObject({
  kind: z.literal('class'),
  /** Where a request names its class by its id. */
  by: fieldSchema,
  classes: z
    .array(z.strictObject({ id: z.string().regex(CLASS_ID, 'lower-case letters, digits, - and _'), permille }))
    .min(1)
    .max(CLASSES_MAX)
    .superRefine((classes, context) => {
      classes.forEach(({ id }, index) => {
        if (classes.findIndex((other) => other.id === id) === index) return;
        context.addIssue({ code: 'custom', path: [index, 'id'], message: 'another class has this id' });
      });
    }),
  when: conditionSchema.optional(),
});

export type ServiceClasses = z.output<typeof serviceClassSchema>;
export type ServiceClass = ServiceClasses['classes'][number];

/**
 * The class that the caller chose by its payment, else the one that the request names. A name that is no class here, or
 * stands there twice, is the dearest class: what the upstream makes of it cannot be known.
 */
export function classOf({ by, classes }: ServiceClasses, request: PricedRequest): ServiceClass {
  const chosen = request.class;
  if (chosen !== undefined) return classes.find(({ id }) => id === chosen) ?? dearest(classes);
  const fact: Fact = { kind: 'present', side: 'request', field: by };
  const present = request.read(fact);
  if (present === 'false') return classes[0]!;
  if (present === UNREADABLE) return dearest(classes);
  const named = classes.find(
    ({ id }) => request.read({ kind: 'equals', side: 'request', field: by, value: id }) === 'true',
  );
  return named ?? dearest(classes);
}

function dearest(classes: readonly ServiceClass[]): ServiceClass {
  return classes.reduce((most, one) => (one.permille > most.permille ? one : most));
}
