import type { Reason } from '../../base/x402/errors.js';
import type { CatalogueFeed } from '../../domains/pricing/catalogue-feed.js';
import type { Behind } from './terms.js';

type Refused = { readonly ok: false; readonly reason: Reason };

/** With the catalogue read again, if it is behind. A version that is still not there was lost with the database it was in. */
export async function caughtUp<Agreed extends { readonly ok: true }>(
  catalogue: Pick<CatalogueFeed, 'refresh'>,
  check: () => Agreed | Refused | Behind,
): Promise<Agreed | Refused> {
  const terms = check();
  if (terms.ok || terms.reason !== 'catalogue_behind') return terms;
  await catalogue.refresh();
  const again = check();
  return again.ok || again.reason !== 'catalogue_behind' ? again : { ok: false, reason: 'quote_invalid' };
}
