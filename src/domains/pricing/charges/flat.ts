import { z } from 'zod';
import { amount } from '../tariff-fields.js';
import { common } from './counted.js';

/** The same amount for every request. */
export const flatSchema = z.strictObject({ model: z.literal('flat'), amount, ...common });
