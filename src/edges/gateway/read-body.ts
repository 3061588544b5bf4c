import type { IncomingMessage } from 'node:http';
import { Problem } from '../../base/shared/problem.js';

/** Longest request body that is read at all, in bytes; routes may take less. */
export const BODY_BYTES_MAX = 10 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** The whole body as bytes: prices, digests and upstreams need it as it was sent. Nothing is awaited if there is none. */
export function readBody(message: IncomingMessage): Buffer | Promise<Buffer> {
  const declared = message.headers['content-length'];
  if (declared === undefined && message.headers['transfer-encoding'] === undefined) return EMPTY;
  if (declared === '0') return EMPTY;
  if (Number(declared) > BODY_BYTES_MAX) throw new Problem('request_too_large');
  return collect(message);
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) throw new Problem('request_too_large');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('invalid_request', 'The request body broke off');
  }
  return Buffer.concat(chunks, bytes);
}
