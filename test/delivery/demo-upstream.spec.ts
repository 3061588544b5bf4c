import { DEMO_REPORT_BYTES } from '../../src/domains/pricing/demo-tenant.js';
import { type DemoUpstream, startDemoUpstream } from '../../src/edges/demo/upstream.js';
import type { UpstreamRequest } from '../../src/edges/gateway/upstream/upstream.js';
import { UpstreamClient } from '../../src/edges/gateway/upstream/upstream-client.js';
import { request, SECRET } from './support.js';

describe('the demo upstream', () => {
  let demo: DemoUpstream;
  let client: UpstreamClient;

  beforeAll(async () => {
    demo = await startDemoUpstream({ port: 0, secret: SECRET });
    client = new UpstreamClient();
  });

  afterAll(async () => {
    await client.close();
    await demo.stop();
  });

  async function ask(path: string, changes: Partial<UpstreamRequest> = {}): Promise<{ status: number; text: string }> {
    const answer = await client.forward(request(demo.url, path, changes));
    if (answer.kind === 'failed') throw new Error(answer.failed);
    if (answer.kind === 'whole') return { status: answer.status, text: answer.body.toString() };
    let text = '';
    for (;;) {
      const piece = await answer.body.next();
      if (piece === 'end') return { status: answer.status, text };
      if (!Buffer.isBuffer(piece)) throw new Error(piece.failed);
      text += piece.toString();
    }
  }

  const post = (body: string): Partial<UpstreamRequest> => ({ method: 'POST', body: Buffer.from(body) });

  it.each([
    ['/weather', 200, {}],
    ['/files/report.txt', 200, {}],
    ['/query', 200, post('{"query":"select 1"}')],
    ['/query', 400, post('not json')],
    ['/completions', 200, post('{"prompt":"hello"}')],
    ['/completions', 400, post('{"prompt":1}')],
    ['/slow', 200, {}],
    ['/error', 500, {}],
    ['/missing', 404, {}],
    ['/big?bytes=100', 200, {}],
    ['/nowhere', 404, {}],
  ])('%s answers %i with a fresh run id', async (path, status, changes) => {
    const answers = [await ask(path, changes), await ask(path, changes)];
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    const runs = answers.map(({ text }) => /[0-9a-f]{16}/.exec(text)?.[0]);
    expect(new Set(runs).size).toBe(2);
    expect(runs).not.toContain(undefined);
  });

  it('streams a completion as events, with the usage near the end', async () => {
    const { text } = await ask('/completions', post('{"prompt":"hello"}'));
    const events = text.trimEnd().split('\n\n');
    expect(events.length).toBeGreaterThan(12);
    expect(JSON.parse(events[0]!.slice('data: '.length))).toEqual({ runId: expect.any(String) });
    expect(events.at(-2)).toContain('"usage":{"promptTokens":1');
    expect(events.at(-1)).toBe('data: [DONE]');
  });

  it('has a report of the size that is charged for', async () => {
    expect(Buffer.byteLength((await ask('/files/report.txt')).text)).toBe(DEMO_REPORT_BYTES);
  });

  it.each(['', '&chunked=1'])('sends as many bytes as asked for%s', async (chunked) => {
    expect((await ask(`/big?bytes=300000${chunked}`)).text.length).toBe(300_000);
  });

  it('breaks off and hangs when asked to', async () => {
    await expect(ask('/broken')).rejects.toThrow('upstream_broke_off');
    const timeouts = { headers: 50, bodyIdle: 50, total: 10_000 };
    await expect(ask('/hang', { timeouts })).rejects.toThrow('upstream_timeout');
  });

  it('serves nobody who comes without a stamp, or with one of another secret', async () => {
    expect((await fetch(`${demo.url}/weather`)).status).toBe(401);
    expect((await ask('/weather', { secret: 'another' })).status).toBe(401);
  });

  it('counts its runs per payment', async () => {
    const once = request(demo.url, '/weather');
    await client.forward(once);
    await client.forward(once);
    const runs = (await (await fetch(`${demo.url}/_runs`)).json()) as Record<string, number>;
    expect(runs[once.stamp.payment]).toBe(2);
  });
});
