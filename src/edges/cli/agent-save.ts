import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Purchase } from './agent-buyer.js';

/** How many receipts are on their way at a time. */
const AT_ONCE = 8;

/**
 * Writes each purchase's full receipt to `<folder>/<payment id>.json`, byte for byte as the gateway gives it now, and the keys
 * to check it with to `<folder>/jwks.json`. Purchases that made no payment have none.
 *
 * @returns how many receipts were written
 * @throws Error if the folder cannot be written, or the gateway does not give a receipt
 */
export async function saveReceipts(gateway: string, purchases: readonly Purchase[], folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  await save(new URL('/.well-known/jwks.json', gateway).href, join(folder, 'jwks.json'));
  const urls = purchases.flatMap(({ receiptUrl }) => receiptUrl ?? []);
  for (let start = 0; start < urls.length; start += AT_ONCE) {
    await Promise.all(urls.slice(start, start + AT_ONCE).map((url) => save(url, join(folder, fileNameOf(url)))));
  }
  return urls.length;
}

async function save(url: string, file: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
}

/** The gateway chose the id, so nothing of it may lead out of the folder. */
function fileNameOf(receiptUrl: string): string {
  return `${receiptUrl
    .split('/')
    .at(-1)!
    .replace(/[^\w-]/g, '_')}.json`;
}
