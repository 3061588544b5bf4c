import { z } from 'zod';
import { conditionSchema } from '../condition.js';
import { LIST_MAX, permille } from '../tariff-fields.js';
import { DAYS, type Day, isTimeZone, type WallTime, wallTimeAt } from './wall-clock.js';

const NEUTRAL = 1000n;
const TIME = /^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/;

const time = z
  .string()
  .regex(TIME, 'a time of day from 00:00 to 24:00')
  .transform((text) => {
    const [hours, minutes] = text.split(':');
    return Number(hours) * 60 + Number(minutes);
  });

const window = z
  .strictObject({
    /** All days if absent. */
    days: z.array(z.enum(DAYS)).min(1).optional(),
    from: time,
    /** Not included. A night is two windows, because it is in two days. */
    to: time,
    permille,
  })
  .refine(({ from, to }) => !(to <= from), { path: ['to'], message: 'must be after from; a night is two windows' });

type Window = z.output<typeof window>;

/**
 * A factor for windows of local time; outside them 1000. By the clocks on the wall: in the hour that daylight saving
 * repeats the window holds twice, and the hour that it skips has no minute in it.
 */
export const timeOfDaySchema = z.strictObject({
  kind: z.literal('time_of_day'),
  /** The zone stands in the tariff, so that a published price cannot change with a setting. */
  timeZone: z.string().max(64).refine(isTimeZone, 'an IANA time zone, such as Europe/Amsterdam'),
  windows: z
    .array(window)
    .min(1)
    .max(LIST_MAX)
    .superRefine((windows, context) => {
      windows.forEach((one, index) => {
        if (!windows.slice(0, index).some((other) => overlap(one, other))) return;
        context.addIssue({ code: 'custom', path: [index], message: 'overlaps a window before it' });
      });
    }),
  when: conditionSchema.optional(),
});

export type TimeOfDay = z.output<typeof timeOfDaySchema>;

/** @param at epoch milliseconds */
export function timePermille({ timeZone, windows }: TimeOfDay, at: number): bigint {
  const now = wallTimeAt(timeZone, at);
  return windows.find((one) => contains(one, now))?.permille ?? NEUTRAL;
}

function contains({ days, from, to }: Window, { day, minute }: WallTime): boolean {
  return from <= minute && minute < to && (days === undefined || days.includes(day));
}

function overlap(a: Window, b: Window): boolean {
  const daysOf = ({ days }: Window): readonly Day[] => days ?? DAYS;
  return a.from < b.to && b.from < a.to && daysOf(a).some((day) => daysOf(b).includes(day));
}
