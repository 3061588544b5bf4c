import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import { ForbiddenAddress, openConnector, publicConnector } from '../../base/platform/address-guard.js';
import { epochSeconds } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { KeyDirectory } from './account.js';
import { parseSigningKey, type SigningJwk } from './signing-key.js';

/** Where a signer publishes its keys (draft-meunier-http-message-signatures-directory). */
export const DIRECTORY_PATH = '/.well-known/http-message-signatures-directory';

const CONNECT_MS = 2_000;
/** For the whole answer. */
const TOTAL_MS = 5_000;
const BYTES_MAX = 64 * 1024;
const MEMBERS_MAX = 100;
const ACCEPT =
  'application/http-message-signatures-directory+json, application/jwk-set+json;q=0.9, application/json;q=0.5';

/**
 * Reads key directories: over HTTPS from public addresses, unless the operator allowed others; no redirects, a small answer,
 * in a short time. Nothing that is read is repeated in an error.
 */
export class KeyDirectories {
  private readonly open: Dispatcher;
  private readonly closed: Dispatcher;

  /** @param lookup resolver for public addresses; the system's unless given */
  constructor(lookup?: LookupFunction) {
    this.open = new Agent({ connect: openConnector(CONNECT_MS) });
    this.closed = new Agent({ connect: publicConnector(CONNECT_MS, lookup) });
  }

  /** The Ed25519 keys that count now; others in the directory are left out. @param now epoch milliseconds @throws Problem `key_directory_unreadable` */
  async read({ allowPrivate, url }: KeyDirectory, now: number): Promise<readonly SigningJwk[]> {
    try {
      const dispatcher = allowPrivate ? this.open : this.closed;
      const signal = AbortSignal.timeout(TOTAL_MS);
      const { body, statusCode } = await request(url, { dispatcher, signal, headers: { accept: ACCEPT } });
      if (statusCode !== 200) {
        // Without a listener its end would be an error that nobody catches.
        body.once('error', () => undefined).destroy();
        throw unreadable(`it answered ${statusCode}`);
      }
      return keysIn(await textOf(body), now);
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw unreadable(wordsFor(error as Error));
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.open.close(), this.closed.close()]);
  }
}

/** What may be asked for: HTTPS, or HTTP where the operator allows local ones. */
export function directoryUrl(origin: string, allowPrivate: boolean): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const allowed = url?.protocol === 'https:' || (allowPrivate && url?.protocol === 'http:');
  return url && allowed && url.origin === origin ? origin + DIRECTORY_PATH : undefined;
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw unreadable(`it is larger than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Pure. A key set with not one good key is taken for a fault, so that no account loses its keys by an empty page. */
export function keysIn(text: string, now: number): readonly SigningJwk[] {
  const members = membersOf(text);
  if (members === undefined || members.length > MEMBERS_MAX) throw unreadable('it is no key set (RFC 7517)');
  const keys = members.flatMap((member) => {
    const key = parseSigningKey(member);
    return typeof key === 'object' && isInForce(member as Validity, epochSeconds(now)) ? [key] : [];
  });
  if (keys.length === 0) throw unreadable('it has no Ed25519 key that counts now');
  return keys;
}

interface Validity {
  readonly nbf?: unknown;
  readonly exp?: unknown;
}

function isInForce({ exp, nbf }: Validity, seconds: number): boolean {
  return !(typeof nbf === 'number' && nbf > seconds) && !(typeof exp === 'number' && exp <= seconds);
}

function membersOf(text: string): readonly unknown[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(detail: string): Problem {
  return new Problem('key_directory_unreadable', detail);
}

function wordsFor(error: Error): string {
  if (error instanceof ForbiddenAddress) return 'it is at an address that is not public';
  return error.name === 'TimeoutError' ? `it took longer than ${TOTAL_MS} ms` : 'it could not be reached';
}
