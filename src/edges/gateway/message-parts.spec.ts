import type { IncomingMessage } from 'node:http';
import { messageParts } from './message-parts.js';
import { upstreamRequestHeaders } from './upstream/headers.js';

/** What Node makes of these fields. */
function received(...rawHeaders: string[]): IncomingMessage {
  const headersDistinct: Record<string, string[]> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    headersDistinct[name] = [...(headersDistinct[name] ?? []), rawHeaders[at + 1]!];
  }
  return { rawHeaders, headersDistinct } as unknown as IncomingMessage;
}

const read = (name: string, ...raw: string[]) => messageParts(received(...raw), '', {}, Buffer.alloc(0)).header(name);

describe('a header that a price looks at', () => {
  it('is read under every spelling that an upstream may take for its name', () => {
    expect(read('x-size', 'X_Size', 'big')).toBe('big');
    expect(read('x-size', 'X-Size', 'big', 'X_Size', 'small')).toBeNull();
    expect(read('x_size', 'X-Size', 'big', 'X_Size', 'small')).toBeNull();
    expect(read('x-size')).toBeUndefined();
  });

  it.each([
    ['X-Size', 'big', 'Connection', 'x-size'],
    ['X-Size', 'big', 'connection', 'keep-alive, X-SIZE'],
    ['x_size', 'big', 'Connection', 'x-size'],
    ['X-Size', 'big', 'Connection', 'x_size'],
  ])('is absent if the upstream will not see it: %s: %s, %s: %s', (...raw) => {
    expect(upstreamRequestHeaders(raw, true)).toEqual([]);
    expect(read('x-size', ...raw)).toBeUndefined();
  });
});
