import { randomUUID } from 'node:crypto';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { codeOf } from '../support/http.js';

let app: App;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const rules = { aggregation: 'sum', value: '/tokens', eventType: 'completion', unit: 'token' };
const stored = { ...rules, late: { kind: 'own_period' } };

describe('meters over REST', () => {
  const path = '/meters/demo/tokens';
  const put = (body: object, to = path, headers = {}) => admin(app, to, { method: 'PUT', body, headers });

  it('are published, listed, changed in what they do with late events only, and withdrawn', async () => {
    const made = await put(rules, path, { 'if-none-match': '*' });
    expect([made.status, made.headers.etag, JSON.parse(made.body)]).toEqual([
      ...[201, '"1"', { tenant: 'demo', id: 'tokens', rules: stored }],
    ]);
    expect((await put(rules)).status).toBe(200);
    const refused = await put({ ...rules, aggregation: 'max' });
    expect([refused.status, codeOf(refused)]).toEqual([409, 'meter_fixed']);
    expect((await put({ ...rules, late: { kind: 'reject', days: 3 } })).headers.etag).toBe('"2"');
    expect(JSON.parse((await admin(app, '/meters?tenant=demo')).body).data).toHaveLength(1);
    expect((await admin(app, path, { method: 'DELETE' })).status).toBe(204);
    expect(JSON.parse((await admin(app, path)).body)).toMatchObject({ withdrawn: true });
    expect((await admin(app, '/meters/demo/other')).status).toBe(404);
  });

  it('are refused with what is wrong, and where', async () => {
    const refused = await put({ ...rules, value: 'tokens' });
    expect([refused.status, JSON.parse(refused.body).errors[0].pointer]).toEqual([400, '#/value']);
    expect((await put(rules, '/meters/nobody/tokens')).status).toBe(404);
    expect((await put(rules, '/meters/demo/To-kens')).status).toBe(404);
  });
});

describe('keys for sending usage events', () => {
  const path = '/tenants/demo/ingestion-keys';

  it('are shown once, listed by name and revoked', async () => {
    const issued = await admin(app, path, { method: 'POST', headers: { 'idempotency-key': randomUUID() } });
    const { id, key } = JSON.parse(issued.body) as { id: string; key: string };
    expect([issued.status, key]).toEqual([201, expect.stringMatching(/^tbi_/)]);
    expect(JSON.parse((await admin(app, path)).body).data).toEqual([{ id, issued_at: expect.any(String) }]);
    expect((await admin(app, `${path}/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(JSON.parse((await admin(app, path)).body).data).toEqual([]);
  });
});
