import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type DemoHandler, sendJson } from './reply.js';

const CHUNK = Buffer.alloc(16 * 1024, 'x');
const BIG_BYTES_MAX = 64 * 1024 * 1024;

/** `GET /big?bytes=N[&chunked=1]`: N bytes, the run id in a header and as the first bytes. */
const big: DemoHandler = async ({ runId, query }, reply) => {
  const bytes = Math.min(Number(query.get('bytes') ?? CHUNK.length), BIG_BYTES_MAX);
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    return sendJson(reply, 400, `{"runId":"${runId}","error":"how many bytes?"}`);
  }
  const length = query.has('chunked') ? {} : { 'Content-Length': bytes };
  reply.writeHead(200, { 'Content-Type': 'application/octet-stream', 'X-Run-Id': runId, ...length });
  await pipeline(Readable.from(pieces(runId, bytes)), reply);
};

function* pieces(runId: string, bytes: number): Generator<Buffer> {
  const first = Buffer.from(runId).subarray(0, bytes);
  yield first;
  for (let left = bytes - first.length; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
}

/** Ways for an upstream to go wrong, so that a buyer can see that they cost nothing. */
export const failures: readonly (readonly [string, DemoHandler])[] = [
  ['GET /error', ({ runId }, reply) => sendJson(reply, 500, JSON.stringify({ runId, error: 'it broke' }))],
  ['GET /missing', ({ runId }, reply) => sendJson(reply, 404, JSON.stringify({ runId, error: 'not here' }))],
  ['GET /hang', () => {}],
  [
    'GET /broken',
    ({ runId }, reply) => {
      reply.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 200_000 });
      reply.write(`run ${runId}\n${'x'.repeat(100_000)}`, () => reply.destroy());
    },
  ],
  ['GET /big', big],
];
