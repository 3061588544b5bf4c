import { z } from 'zod';
import { conditionSchema } from '../condition.js';
import type { Fact } from '../request/fact.js';
import { fieldSchema } from '../request/field.js';
import type { PricedRequest } from '../request/priced-request.js';
import { permille } from '../tariff-fields.js';

/** Each is one way to pay in the header of the 402. */
const CLASSES_MAX = 4;
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
 * The class that the request names; if it names none, the one that the caller chose by its payment, else the first. A
 * name that is no class here, or stands there twice, is the dearest class: what the upstream makes of it cannot be known.
 */
export function classOf(rules: ServiceClasses, request: PricedRequest): ServiceClass {
  const { by, classes } = rules;
  if (!namesClass(rules, request)) return classes.find(({ id }) => id === request.class) ?? classes[0]!;
  const equals = (value: string): Fact => ({ kind: 'equals', side: 'request', field: by, value });
  return classes.find(({ id }) => request.read(equals(id)) === 'true') ?? dearest(classes);
}

/** What can be bought: the class that the request names, or any if it names none, the first one first. */
export function offeredClasses(rules: ServiceClasses, request: PricedRequest): readonly ServiceClass[] {
  return namesClass(rules, request) ? [classOf(rules, request)] : rules.classes;
}

function namesClass({ by }: ServiceClasses, request: PricedRequest): boolean {
  return request.read({ kind: 'present', side: 'request', field: by }) !== 'false';
}

function dearest(classes: readonly ServiceClass[]): ServiceClass {
  return classes.reduce((most, one) => (one.permille > most.permille ? one : most));
}
