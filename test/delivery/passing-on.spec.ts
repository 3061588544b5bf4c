import { createHash } from 'node:crypto';
import { type ClientRequest, get, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  type Delivered,
  type DeliveryLimits,
  deliver,
  deliveryLimits,
} from '../../src/edges/gateway/upstream/answer-body.js';
import { replySink } from '../../src/edges/gateway/upstream/reply-sink.js';
import type { UpstreamFailure } from '../../src/edges/gateway/upstream/upstream.js';
import { UpstreamClient } from '../../src/edges/gateway/upstream/upstream-client.js';
import { eventually } from '../support/eventually.js';
import { request, serve, type TestServer } from './support.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url');
const MEBIBYTE = 1024 * 1024;

/** Upstream, gateway and buyer in one process; the spec plays the upstream's answer and decides when a delivery is durable. */
describe('an answer on its way through the gateway', () => {
  let client: UpstreamClient;
  let upstream: TestServer;
  let gateway: TestServer;
  let answering: Promise<ServerResponse>;
  let outcome: Promise<Delivered | UpstreamFailure>;
  let makeDurable: () => void;
  let limits: DeliveryLimits;

  beforeEach(async () => {
    let answered: (reply: ServerResponse) => void;
    let ended: (delivered: Delivered | UpstreamFailure) => void;
    answering = new Promise((resolve) => (answered = resolve));
    outcome = new Promise((resolve) => (ended = resolve));
    const durable = new Promise<void>((resolve) => (makeDurable = resolve));
    limits = deliveryLimits;
    client = new UpstreamClient();
    upstream = await serve((_, reply) => answered(reply));
    gateway = await serve(async (_, reply) => {
      const answer = await client.forward(request(upstream.url, '/'));
      if (answer.kind !== 'streamed') throw new Error(`${answer.kind} is not streamed`);
      reply.writeHead(answer.status, answer.headers.flat()).flushHeaders();
      const delivered = await deliver(answer, replySink(reply), limits);
      ended(delivered);
      await durable;
      if (delivered.kind === 'delivered') reply.end(delivered.rest);
      else reply.destroy();
    });
  });

  afterEach(async () => {
    await gateway.stop();
    await upstream.stop();
    await client.close();
  });

  it('sends each event at once, and the end only when the delivery is durable', async () => {
    const buyer = await Buyer.at(gateway.url, answering, { 'content-type': 'text/event-stream' });
    for (const text of ['one', 'two', 'three']) {
      buyer.upstream.write(`data: ${text}\n\n`);
      await eventually(() => buyer.text.endsWith(`data: ${text}\n\n`));
    }
    buyer.upstream.end();
    expect(await outcome).toMatchObject({ complete: true, buyerGone: false });
    expect(buyer.ended).toBe(false);
    makeDurable();
    await eventually(() => buyer.ended);
  });

  it('holds the last bytes of a declared length until the delivery is durable', async () => {
    const body = Buffer.alloc(200_000, 'abcdefghij');
    const buyer = await Buyer.at(gateway.url, answering, { 'content-length': body.length });
    buyer.upstream.end(body);
    const delivered = await outcome;
    expect(delivered).toMatchObject({ record: { bytes: 200_000, digest: sha256(body) } });
    const { rest, record } = delivered as Delivered;
    expect(rest.length).toBeGreaterThan(0);
    expect(record.copy?.equals(body)).toBe(true);
    await eventually(() => buyer.bytes === body.length - rest.length);
    makeDurable();
    await eventually(() => buyer.ended);
    expect(buyer.bytes).toBe(body.length);
  });

  it('reads on for a buyer that went away, so that the answer can be asked for again', async () => {
    const buyer = await Buyer.at(gateway.url, answering);
    buyer.upstream.write('first ');
    await eventually(() => buyer.text === 'first ');
    buyer.leave();
    buyer.upstream.write('second ');
    buyer.upstream.end('third');
    const copy = Buffer.from('first second third');
    expect(await outcome).toMatchObject({ kind: 'delivered', complete: true, record: { copy } });
  });

  it('slows the upstream down for a slow buyer', async () => {
    const buyer = await Buyer.at(gateway.url, answering);
    buyer.answer.pause();
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    // The buffers of two hops are a few MiB; without back-pressure all of this would go through.
    while (written < 64 * MEBIBYTE && (await accepts(buyer.upstream, chunk))) written += chunk.length;
    expect(written).toBeLessThan(32 * MEBIBYTE);
    buyer.answer.resume();
    buyer.upstream.end();
    expect(await outcome).toMatchObject({ complete: true, buyerGone: false, record: { copy: undefined } });
  });

  it('is cut off, not ended, for a buyer that takes no bytes for too long', async () => {
    limits = { ...limits, buyerStallMs: 20 };
    const buyer = await Buyer.at(gateway.url, answering);
    buyer.answer.pause();
    buyer.upstream.end(Buffer.alloc(32 * MEBIBYTE));
    expect(await outcome).toMatchObject({ kind: 'delivered', buyerGone: true, complete: false });
    makeDurable();
    buyer.answer.resume();
    await eventually(() => buyer.broken);
    expect(buyer.ended).toBe(false);
  });

  it('is cut off, not ended, if the upstream breaks off', async () => {
    const buyer = await Buyer.at(gateway.url, answering);
    buyer.upstream.write('first ', () => buyer.upstream.destroy());
    expect(await outcome).toMatchObject({ kind: 'failed', failed: 'upstream_broke_off' });
    makeDurable();
    await eventually(() => buyer.broken);
    expect(buyer.ended).toBe(false);
  });
});

/** Writes and says whether the other side still took it within a second. */
function accepts(reply: ServerResponse, chunk: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 1000);
    reply.write(chunk, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

class Buyer {
  text = '';
  bytes = 0;
  ended = false;
  broken = false;

  private constructor(
    private readonly request: ClientRequest,
    readonly answer: IncomingMessage,
    readonly upstream: ServerResponse,
  ) {
    answer.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (chunk.length < 1000) this.text += chunk.toString();
    });
    answer.on('end', () => (this.ended = true));
    answer.on('error', () => (this.broken = true));
  }

  /** Asks, and begins the upstream's answer with these headers. */
  static async at(
    url: string,
    answering: Promise<ServerResponse>,
    headers: Record<string, string | number> = {},
  ): Promise<Buyer> {
    const asked = get(url);
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      asked.on('response', resolve).on('error', reject),
    );
    const upstream = await answering;
    upstream.writeHead(200, headers).flushHeaders();
    return new Buyer(asked, await answered, upstream);
  }

  leave(): void {
    this.request.destroy();
  }
}
