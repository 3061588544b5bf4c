import { lookup } from 'node:dns/promises';
import { isPublicAddress } from '../../base/platform/address-guard.js';
import { UsageError } from './command.js';
import type { Sale } from './sell-questions.js';

const TIMEOUT_MS = 10_000;
const HERE = /^(?:127\.|::1$)/;

/** Whether the gateway needs a permission to call it. */
export interface Reached {
  readonly isPrivate: boolean;
  /** What it answered to one unpaid request; absent if asking might change something. */
  readonly status?: number;
}

/**
 * Asks the upstream as it is, before anything is published.
 *
 * @throws UsageError if it cannot be reached, fails, or is in a network that nobody permitted
 */
export async function reachUpstream({ allowPrivate, method, path, upstream }: Sale): Promise<Reached> {
  const { hostname } = new URL(upstream);
  const addresses = await addressesOf(hostname.replace(/^\[|\]$/g, ''));
  const closed = addresses.filter((address) => !isPublicAddress(address));
  const elsewhere = closed.find((address) => !HERE.test(address));
  if (elsewhere !== undefined && !allowPrivate) {
    throw new UsageError(`${hostname} is the private address ${elsewhere}: if it is your API, say --allow-private`);
  }
  const isPrivate = closed.length > 0;
  const reply = await fetch(upstream + (method === 'GET' ? exampleOf(path) : '/'), {
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error & { cause?: Error }) => {
    throw new UsageError(`Your API does not answer at ${upstream}: ${error.cause?.message || error.message}`);
  });
  await reply.body?.cancel();
  // Of another method only the server is looked at: the request itself might change something.
  if (method !== 'GET') return { isPrivate };
  if (reply.status >= 500) {
    throw new UsageError(
      `Your API answers ${reply.status} to GET ${path}: such answers are never charged; mend it first`,
    );
  }
  return { isPrivate, status: reply.status };
}

/** A path that the pattern matches. */
export function exampleOf(path: string): string {
  return path.replaceAll(/:[A-Za-z][A-Za-z0-9_]*/g, '1');
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    throw new UsageError(`There is no host ${host}: is the address of your API right?`);
  }
}
