import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app?.stop());

describe('allowances over REST', () => {
  const path = `/customers/demo/0x${'e9'.repeat(20)}/allowance`;

  it('are set under a condition', async () => {
    const body = { counts: 'requests', limit: '1', period: 'day' };
    const set = await admin(app, path, { method: 'PUT', body, headers: { 'if-none-match': '*' } });
    expect([set.status, set.headers.etag]).toEqual([201, '"1"']);
    const again = await admin(app, path, { method: 'PUT', body: { ...body, limit: '3' } });
    expect(again.status).toBe(200);
    expect((await admin(app, path, { method: 'PUT', body })).status).toBe(200);
    const lost = { method: 'PUT', body: { ...body, limit: '2' }, headers: { 'if-match': '"7"' } };
    expect((await admin(app, path, lost)).status).toBe(412);
    expect(JSON.parse((await admin(app, path)).body)).toEqual(body);
    expect((await admin(app, path, { method: 'DELETE' })).status).toBe(204);
    expect((await admin(app, path)).status).toBe(404);
  });

  it.each([
    { counts: 'requests', limit: '-1', period: 'day' },
    { counts: 'requests', limit: 5, period: 'day' },
    { counts: 'bytes', limit: '5', period: 'day' },
    { counts: 'requests', limit: '5', period: 'week' },
  ])('are refused: %j', async (body) => {
    expect((await admin(app, path, { method: 'PUT', body })).status).toBe(400);
  });
});
