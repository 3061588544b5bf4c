import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback, isPublicAddress } from '../../../base/platform/address-guard.js';

const STRIPE_API = 'https://api.stripe.com';
const secret = z
  .string()
  .max(512)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces');

const origin = z
  .string()
  .max(512)
  .transform((text, context) => {
    const url = URL.parse(text);
    if (url && /^https?:$/.test(url.protocol) && [url.origin, `${url.origin}/`].includes(text)) return url.origin;
    context.addIssue({ code: 'custom', message: `an https origin without path, such as ${STRIPE_API}` });
    return z.NEVER;
  });

/** Body of `PUT /admin/v1/tenants/{tenant}/card-processor`. */
export const cardAccountSchema = z
  .strictObject({
    processor: z.literal('stripe'),
    /** May make payment intents, setup intents, customers and refunds, and read disputes. */
    secret_key: secret,
    /** By which the processor signs what it posts to `/-/webhooks/stripe/{tenant}`. */
    webhook_secret: secret,
    api_base: origin.default(STRIPE_API),
    /** An operator's permission: without it only https and public addresses are called. */
    allow_private: z.boolean().default(false),
  })
  .refine(({ allow_private, api_base }) => allow_private || !isClosed(api_base), {
    path: ['api_base'],
    message: 'is plain http or a private address; say "allow_private": true if it is yours',
  });

export type CardAccountBody = Readonly<z.output<typeof cardAccountSchema>>;

function isClosed(text: string): boolean {
  const { hostname, protocol } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  return protocol === 'http:' || isLoopback(hostname) || (isIP(host) !== 0 && !isPublicAddress(host));
}
