import { z } from 'zod';
import { calendarUnits } from '../../base/shared/calendar-window.js';
import { parseAddress } from '../../base/shared/hex.js';
import { idSchema } from '../pricing/catalogue.schemas.js';
import { isTimeZone } from '../pricing/modifiers/wall-clock.js';
import { meter } from '../pricing/tariff-fields.js';

const YEAR_SECONDS = 31_622_400;

const quantity = z.string().regex(/^(?:0|[1-9][0-9]{0,77})$/, 'a whole number, as text');

/** Lower case, as payments name their payers. */
const payer = z.string().transform((text, context) => {
  const address = parseAddress(text);
  if (address === undefined) context.addIssue({ code: 'custom', message: 'an address of 20 bytes in hex' });
  return address ?? z.NEVER;
});

const calendarWindow = z.strictObject({
  kind: z.literal('calendar'),
  unit: z.enum(calendarUnits),
  /** In whose days and hours; weeks begin on Monday. */
  timeZone: z.string().max(64).refine(isTimeZone, 'an IANA time zone, such as Europe/Amsterdam').default('UTC'),
});

const rollingWindow = z.strictObject({ kind: z.literal('rolling'), seconds: z.int().min(1).max(YEAR_SECONDS) });

/** Whom it counts: all payers together, or each by itself; `payer`: this one only. */
const subject = { per: z.enum(['tenant', 'payer']), payer: payer.optional() };

const quota = {
  quantity,
  ...subject,
  /** Only requests to these routes; all, if it is left out. */
  routes: z.array(idSchema).min(1).max(100).optional(),
  window: z.discriminatedUnion('kind', [calendarWindow, rollingWindow]),
};

export const limitSchema = z.discriminatedUnion('measure', [
  z.strictObject({
    /** Requests; or what is spent, in atomic units of the tenant's token. */
    measure: z.enum(['requests', 'amount']),
    ...quota,
  }),
  z.strictObject({
    /** Units of the tariffs: of those with this meter only, if it is named. */
    measure: z.literal('units'),
    meter: meter.optional(),
    ...quota,
  }),
  z.strictObject({
    /** Delivered and not settled yet, in atomic units. */
    measure: z.literal('exposure'),
    quantity,
    ...subject,
  }),
]);

export type LimitRules = z.output<typeof limitSchema>;
export type Quota = Exclude<LimitRules, { measure: 'exposure' }>;
export type Window = Quota['window'];
