import { randomUUID } from 'node:crypto';
import { CloudEvent, emitterFor, HTTP, Mode } from 'cloudevents';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { codeOf, type Reply, send } from '../support/http.js';

let app: App;
let key: string;

beforeAll(async () => {
  app = await startApp();
  const issued = await admin(app, '/tenants/demo/ingestion-keys', {
    ...{ method: 'POST', headers: { 'idempotency-key': randomUUID() } },
  });
  ({ key } = JSON.parse(issued.body) as { key: string });
  const tokens = { aggregation: 'sum', value: '/tokens', eventType: 'completion', unit: 'token' };
  expect((await admin(app, '/meters/demo/tokens', { method: 'PUT', body: tokens })).status).toBe(201);
});
afterAll(() => app?.stop());

const NOW = '2026-11-25T04:00:00Z';
const used = (id: string, change: object = {}) => ({
  ...{ specversion: '1.0', id, source: '/gpu/7', type: 'completion', subject: 'cus_1', time: NOW, data: { tokens: 3 } },
  ...change,
});

interface Posting {
  readonly type?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bearer?: string;
}

function post(
  body: unknown,
  { bearer = key, headers, query = '', type = 'application/cloudevents+json' }: Posting = {},
) {
  return send({
    url: `${app.control}/v1/events${query}`,
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': type, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const postBatch = (events: readonly object[], query = '') =>
  post(events, { query, type: 'application/cloudevents-batch+json' });
const told = ({ body, status }: Reply) => [status, JSON.parse(body)];

async function total(): Promise<string | undefined> {
  const { body } = await admin(
    app,
    '/usage/demo/totals?meter=tokens&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z',
  );
  return (JSON.parse(body).data as { total: string }[])[0]?.total;
}

describe('the official CloudEvents SDK', () => {
  const event = (change = {}) => new CloudEvent({ ...used('sdk', change), id: randomUUID() } as never);

  it.each([Mode.BINARY, Mode.STRUCTURED])('sends events in %s mode', async (mode) => {
    const replies: Reply[] = [];
    const emit = emitterFor(
      async ({ body, headers }) => {
        replies.push(await post(body as string, { type: '', headers: headers as Record<string, string> }));
      },
      { binding: HTTP, mode },
    );
    const one = event({ region: 'eu 1', data: { tokens: '0.000000000000000001' } });
    await emit(one);
    await emit(one);
    expect(replies.map(told)).toEqual([
      [200, { result: 'accepted' }],
      [200, { result: 'duplicate' }],
    ]);
  });

  it('means the same in either mode', async () => {
    const one = event({ region: 'eu 1' });
    const answers = [HTTP.binary(one), HTTP.structured(one)].map(async ({ body, headers }) =>
      post(body as string, { type: '', headers: headers as Record<string, string> }),
    );
    const results = (await Promise.all(answers)).map(({ body }) => JSON.parse(body).result);
    expect(results.sort()).toEqual(['accepted', 'duplicate']);
  });

  it('sends batches that its list of events is made of', async () => {
    const events = [event(), event()];
    const { body } = await postBatch(events.map((one) => one.toJSON() as object));
    expect(JSON.parse(body)).toMatchObject({ accepted: 2, duplicate: 0, rejected: 0 });
  });
});

describe('POST /v1/events', () => {
  it('says of each event of a batch what became of it', async () => {
    await post(used('b1'));
    const events = [
      used('b1'),
      used('b2'),
      used('b1', { data: { tokens: 4 } }),
      used('b3', { data: { 'to/ken': 1 } }),
      7,
    ];
    const [status, answer] = told(await postBatch(events as object[]));
    expect(status).toBe(207);
    expect(answer).toEqual({
      ...{ accepted: 1, duplicate: 1, rejected: 3 },
      results: [
        { result: 'duplicate' },
        { result: 'accepted' },
        { result: 'rejected', reason: 'usage_id_reused', detail: expect.any(String), pointer: '#/2/id' },
        { result: 'rejected', reason: 'invalid_usage_event', detail: expect.any(String), pointer: '#/3/data/tokens' },
        { result: 'rejected', reason: 'invalid_usage_event', detail: 'must be an object', pointer: '#/4' },
      ],
    });
  });

  it('takes all of a batch or none, if asked to', async () => {
    const refused = await postBatch([used('c1'), used('c2', { time: undefined })], '?atomic=true');
    expect([refused.status, codeOf(refused)]).toEqual([422, 'usage_batch_refused']);
    expect(JSON.parse(refused.body).errors).toEqual([{ pointer: '#/1/time', detail: 'is missing' }]);
    expect(told(await postBatch([used('c1')], '?atomic=true'))).toEqual([
      ...[200, { accepted: 1, duplicate: 0, rejected: 0, results: [{ result: 'accepted' }] }],
    ]);
  });

  it('keeps every digit, and adds them up', async () => {
    const before = await total();
    const text = JSON.stringify(used('d1')).replace('"tokens":3', '"tokens": 123456789012345678901.000000000000000001');
    expect(told(await post(text))).toEqual([200, { result: 'accepted' }]);
    const digits = 10n ** 18n;
    const exact = (value: string) => {
      const [whole, part = ''] = value.split('.');
      return BigInt(whole!) * digits + BigInt(part.padEnd(18, '0'));
    };
    expect(exact((await total())!) - exact(before!)).toBe(123456789012345678901n * digits + 1n);
    const { body } = await admin(app, '/usage/demo/events?id=d1');
    expect(JSON.parse(body).data[0].event).toContain('123456789012345678901.000000000000000001');
  });

  it('shows both versions of what was corrected', async () => {
    await postBatch([used('e1'), used('e2', { replaces: 'e1', data: { tokens: 1 } })]);
    const list = async (id: string) => JSON.parse((await admin(app, `/usage/demo/events?id=${id}`)).body).data[0];
    expect(await list('e1')).toMatchObject({ metered: { tokens: '3' }, replaced_by: { source: '/gpu/7', id: 'e2' } });
    expect(await list('e2')).toMatchObject({ metered: { tokens: '1' }, replaces: { source: '/gpu/7', id: 'e1' } });
    const pages: string[] = [];
    for (let cursor = ''; ; ) {
      const page = JSON.parse((await admin(app, `/usage/demo/events?limit=2${cursor}`)).body);
      pages.push(...page.data.map((one: { source: string; id: string }) => `${one.source} ${one.id}`));
      if (page.next_cursor === undefined) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(new Set(pages).size).toBe(pages.length);
    expect(pages).toEqual(expect.arrayContaining(['/gpu/7 e1', '/gpu/7 e2', '/gpu/7 b1']));
  });

  it('takes thousands at once', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => used(`many-${index}`));
    const [status, answer] = told(await postBatch(many));
    expect([status, answer.accepted]).toEqual([200, 5_000]);
    const over = await postBatch([...many, used('one more')]);
    expect([over.status, codeOf(over)]).toEqual([413, 'request_too_large']);
  });

  it.each<[string, unknown, Posting, number, string]>([
    ['no key', used('f'), { bearer: 'nonsense' }, 401, 'ingestion_key_required'],
    ['another type', used('f'), { type: 'application/json' }, 415, 'unsupported_media_type'],
    ['no JSON', '{', {}, 400, 'invalid_request'],
    ['a name twice', JSON.stringify(used('f')).replace('{', '{"id":"f",'), {}, 400, 'invalid_request'],
    ['too much', '', { headers: { 'content-length': '8388609' } }, 413, 'request_too_large'],
    ['a wrong option', used('f'), { query: '?atomic=yes' }, 400, 'invalid_request'],
    ['an unknown option', used('f'), { query: '?atom=true' }, 400, 'invalid_request'],
    ['no meter', used('f', { type: 'other' }), {}, 400, 'usage_type_unknown'],
    ['another body', used('b1', { data: { tokens: 9 } }), {}, 409, 'usage_id_reused'],
    ['the future', used('f', { time: '2999-01-01T00:00:00Z' }), {}, 400, 'usage_in_future'],
    ['what is not there to replace', used('f', { replaces: 'nothing' }), {}, 409, 'usage_replaces_unknown'],
  ])('refuses %s', async (_what, body, posting, status, code) => {
    const reply = await post(body, posting);
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });

  it('says where in a single event the mistake is', async () => {
    const structured = await post(used('g', { data: {} }));
    expect(JSON.parse(structured.body).errors).toEqual([{ pointer: '#/data/tokens', detail: expect.any(String) }]);
    const { data, ...attributes } = used('g', { subject: 'cus 1' });
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)]),
    );
    const binary = await post(data, { type: 'application/json', headers });
    expect(JSON.parse(binary.body).errors).toEqual([{ detail: expect.stringMatching(/^ce-subject: /) }]);
  });

  it('does not take a key any more that is revoked', async () => {
    const path = '/tenants/demo/ingestion-keys';
    const issued = await admin(app, path, { method: 'POST', headers: { 'idempotency-key': randomUUID() } });
    const { id, key: bearer } = JSON.parse(issued.body) as { id: string; key: string };
    expect((await post(used('h1'), { bearer })).status).toBe(200);
    await admin(app, `${path}/${id}`, { method: 'DELETE' });
    expect((await post(used('h2'), { bearer })).status).toBe(401);
  });
});
