import type { IncomingMessage } from 'node:http';
import { Problem } from '../../base/shared/problem.js';

/** Longest request body that is read at all, in bytes; routes may take less. */
const BODY_BYTES_MAX = 10 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * The whole body as bytes: prices, digests and upstreams need it as it was sent. Nothing is awaited if there is none.
 * A body that is declared too long is refused before any of it is read.
 * @param routeMax longest body that the route takes, in bytes
 * @throws Problem `request_too_large`, `invalid_request`; what is left of the body is then still on the connection
 */
export function readBody(message: IncomingMessage, routeMax: number): Buffer | Promise<Buffer> {
  const bytesMax = Math.min(routeMax, BODY_BYTES_MAX);
  const declared = message.headers['content-length'];
  if (declared === undefined && message.headers['transfer-encoding'] === undefined) return EMPTY;
  if (declared === '0') return EMPTY;
  if (Number(declared) > bytesMax) throw new Problem('request_too_large');
  return collect(message, bytesMax);
}

function collect(message: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const brokeOff = () => reject(new Problem('invalid_request', 'The request body broke off'));
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else {
        // Not destroyed: that would take the reply's connection along.
        message.removeAllListeners('data').pause();
        chunks.length = 0;
        reject(new Problem('request_too_large'));
      }
    });
    message.once('end', () => resolve(Buffer.concat(chunks, bytes)));
    message.once('error', brokeOff);
    message.once('close', brokeOff);
  });
}
