import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback, isPublicAddress } from '../../../base/platform/address-guard.js';

const FACILITATORS_MAX = 8;
const BASE_URL = 'an https URL without user, query and fragment, such as https://facilitator.example/x402';

/** One slash fewer at the end is the same facilitator. */
const baseUrl = z
  .string()
  .max(512)
  .transform((text, context) => {
    const url = URL.parse(text);
    const { hash, origin, pathname, protocol, username, password, search } = url ?? {};
    if (url && /^https?:$/.test(protocol!) && ![hash, search, username, password].some(Boolean)) {
      return origin + pathname!.replace(/\/+$/, '');
    }
    context.addIssue({ code: 'custom', message: BASE_URL });
    return z.NEVER;
  });

const facilitator = z
  .strictObject({
    url: baseUrl,
    /** Value of the `Authorization` header. Left away: the one that stands is kept; null: none. */
    authorization: z
      .string()
      .max(4096)
      .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'printable ASCII')
      .nullish(),
    timeout_ms: z.int().min(100).max(30_000).default(10_000),
    /** An operator's permission: without it only https and public addresses are called. */
    allow_private: z.boolean().default(false),
  })
  .refine(({ allow_private, url }) => allow_private || !isClosed(url), {
    path: ['url'],
    message: 'is plain http or a private address; say "allow_private": true if it is yours',
  });

/** Body of `PUT /admin/v1/tenants/{tenant}/facilitators`. */
export const facilitatorsSchema = z
  .strictObject({
    facilitators: z
      .array(facilitator)
      .max(FACILITATORS_MAX)
      .refine((list) => new Set(list.map(({ url }) => url)).size === list.length, 'names a facilitator twice'),
    own: z.enum(['last', 'never']).default('last'),
  })
  .refine(({ facilitators, own }) => own === 'last' || facilitators.length > 0, {
    path: ['own'],
    message: 'somebody has to settle: without facilitators it is last',
  });

export type FacilitatorsBody = Readonly<z.output<typeof facilitatorsSchema>>;

/** A name is looked up at each request, a literal address can be judged now. */
function isClosed(text: string): boolean {
  const { hostname, protocol } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  return protocol === 'http:' || isLoopback(hostname) || (isIP(host) !== 0 && !isPublicAddress(host));
}
