import { createHash, hash } from 'node:crypto';

/**
 * Base64url SHA-256 over method, path, query and body: the one request a quote or an authorization is for. Path and
 * query are taken as sent; each part carries its length, so no two requests share an encoding.
 */
export function requestDigest(method: string, path: string, query: string, body: Uint8Array): string {
  const head = `${method.length}:${method}${path.length}:${path}${query.length}:${query}`;
  // One call is faster than a hash object, and most requests have no body.
  if (body.byteLength === 0) return hash('sha256', head, 'base64url');
  return createHash('sha256').update(head).update(body).digest('base64url');
}
