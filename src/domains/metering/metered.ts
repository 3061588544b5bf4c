import { type ExactJson, NumberText } from '../../base/shared/exact-json.js';
import type { Fault, UsageEvent } from './cloud-event.js';
import type { NamedMeter } from './meters.queries.js';

/** What each meter counts of one event: a decimal, or for `unique` a text. */
export type Metered = Readonly<Record<string, string>>;

const DECIMAL = /^(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,18})?$/;
const NO_DECIMAL = 'must be a decimal, not negative, without exponent, of at most 30 digits and 18 behind the point';
const TEXT_MAX = 200;

/** Pure: applies the meters of its type to an event. */
export function meterEvent({ data }: UsageEvent, meters: readonly NamedMeter[]): Metered | Fault {
  const metered: Record<string, string> = {};
  for (const meter of meters) {
    if (meter.aggregation === 'count') {
      metered[meter.id] = '1';
      continue;
    }
    const path = stepsOf(meter.value);
    const value = textOf(memberAt(data, path));
    const fault = value === undefined ? `meter ${meter.id} counts it: is no text or number` : faultOf(value, meter);
    if (fault !== undefined) return { path: ['data', ...path], detail: fault };
    metered[meter.id] = value!;
  }
  return metered;
}

function faultOf(value: string, { aggregation, id }: NamedMeter): string | undefined {
  if (aggregation !== 'unique') return DECIMAL.test(value) ? undefined : `meter ${id} counts it: ${NO_DECIMAL}`;
  return value.length <= TEXT_MAX ? undefined : `meter ${id} counts it: must have at most ${TEXT_MAX} characters`;
}

/** RFC 6901. */
function stepsOf(pointer: string): readonly string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function memberAt(data: ExactJson | undefined, path: readonly string[]): ExactJson | undefined {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || value instanceof NumberText || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, ExactJson>>)[step];
  }
  return value;
}

function textOf(value: ExactJson | undefined): string | undefined {
  if (value instanceof NumberText) return value.text;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
