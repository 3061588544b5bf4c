import { importKey, signRequest } from '../../packages/client/src/sign-request.js';
import type { Holder } from '../support/committing.js';

export type { Holder };

interface Accept {
  readonly scheme: string;
  readonly amount: string;
  readonly asset: string;
}

/** Signs the commitments of one account, by the client that buyers use. */
export async function signerOf({ customer, key, keyId }: Holder) {
  const imported = await importKey(key, keyId);
  return (url: URL, offer: string, now: number): Promise<Record<string, string>> => {
    const { accepts } = JSON.parse(Buffer.from(offer, 'base64').toString()) as { accepts: Accept[] };
    const accepted = accepts.find(({ scheme }) => scheme === 'batch-settlement');
    if (!accepted) throw new Error('nothing to commit to is offered');
    const payload = { amount: accepted.amount, asset: accepted.asset, customer };
    const payment = Buffer.from(JSON.stringify({ x402Version: 2, accepted, payload })).toString('base64');
    return signRequest(imported, { method: 'GET', url: url.href, body: Buffer.alloc(0), payment }, now);
  };
}
