import { type Account, seconds } from './account.js';
import { type Form, type FormValue, textOf, textsOf } from './form.js';
import type { PaymentIntent } from './objects.js';
import { invalid } from './stripe-error.js';

const LIMIT_MAX = 100;
const FILTERS = ['customer', 'payment_intent', 'charge', 'payment_method'];

/** Newest first, in pages, filtered as the query says. */
export function listOf(url: string, book: ReadonlyMap<string, object>, query: Form): object {
  const limit = Number(textOf(query, 'limit') ?? 10);
  if (!(limit >= 1 && limit <= LIMIT_MAX)) throw invalid('Limit must be between 1 and 100', undefined, 'limit');
  const since = Number(textsOf(query, 'created').gte ?? 0);
  const fitting = (
    [...book.values()].reverse() as (Record<string, unknown> & { id: string; created: number })[]
  ).filter(
    (item) => item.created >= since && FILTERS.every((name) => query[name] === undefined || item[name] === query[name]),
  );
  const after = textOf(query, 'starting_after');
  const from = after === undefined ? 0 : fitting.findIndex(({ id }) => id === after) + 1;
  const data = fitting.slice(from, from + limit);
  return { object: 'list', url, has_more: from + data.length < fitting.length, data };
}

/** Of the language of searches only what is asked here: one value of the metadata. */
export function searchIntents(account: Account, query: Form): object {
  const [, name = '', value] = /^metadata\['(\w+)'\]:'([\w-]+)'$/.exec(textOf(query, 'query') ?? '') ?? [];
  if (value === undefined) throw invalid('We were unable to parse your search query.', undefined, 'query');
  const known = (intent: PaymentIntent) => intent.created * 1000 + account.searchLagMs <= seconds() * 1000;
  const data = [...account.intents.values()].filter((intent) => known(intent) && intent.metadata[name] === value);
  return { object: 'search_result', url: '/v1/payment_intents/search', has_more: false, next_page: null, data };
}

/** A copy in which ids are replaced by what they name, along `latest_charge.balance_transaction` and the like. */
export function expanded(account: Account, answer: object, paths: FormValue | undefined): object {
  const copy = structuredClone(answer);
  for (const path of (paths ?? []) as string[]) expand(account, copy as Record<string, unknown>, path.split('.'));
  return copy;
}

function expand(account: Account, target: Record<string, unknown>, [name = '', ...rest]: readonly string[]): void {
  if (typeof target[name] === 'string') target[name] = structuredClone(account.find(target[name])) ?? target[name];
  const inside = target[name];
  if (rest.length === 0 || typeof inside !== 'object' || inside === null) return;
  for (const item of Array.isArray(inside) ? inside : [inside]) expand(account, item, rest);
}
