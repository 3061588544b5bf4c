import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { admin } from '../support/admin.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { TENANT } from './market.js';
import { open, openSite, type Site } from './site.js';

/** A gateway is taken for dead after ten seconds; the sweep and a busy machine need some more. */
const LEASE_MS = 25_000;
const PAYER = `0x${'c7'.repeat(20)}`;

jest.setTimeout(150_000);

let site: Site;
let gateway: App;
let key: string;

beforeAll(async () => {
  site = await openSite();
  const headers = { 'idempotency-key': randomUUID() };
  const issued = await admin(site.main, `${customer}/keys`, { method: 'POST', body: {}, headers });
  key = (JSON.parse(issued.body) as { key: string }).key;
  const body = { counts: 'requests', limit: '1', period: 'month' };
  expect((await admin(site.main, `${customer}/allowance`, { method: 'PUT', body })).status).toBe(201);
  gateway = await site.join('gateway');
  await open(gateway.gateway);
  await open(site.main.gateway);
});
afterAll(() => site?.stop());

const customer = `/customers/${TENANT}/${PAYER}`;

function call({ gateway: url }: App, path: string, name: string): Promise<Reply | undefined> {
  const headers = { 'tollbook-key': key, 'tollbook-request': name };
  return send({ url: url.replace('localhost', '127.0.0.1') + path, headers }).catch(() => undefined);
}

async function used(): Promise<string> {
  const { allowance } = JSON.parse((await admin(site.main, `${customer}/account`)).body);
  return (allowance as { used: string }).used;
}

describe('a gateway that dies in the middle of a free request', () => {
  it('leaves the allowance as it was, and the request is not run again unasked', async () => {
    const answer = call(gateway, '/gate', 'once');
    await eventually(() => site.provider.waiting() === 1);
    expect(await used()).toBe('1');
    // The only one it may have is running.
    expect((await call(site.main, '/gate', 'another'))!.status).toBe(402);
    await gateway.kill('SIGKILL');
    expect(await answer).toBeUndefined();
    await eventually(async () => (await used()) === '0', LEASE_MS);
    const again = (await call(site.main, '/gate', 'once'))!;
    expect([again.status, codeOf(again)]).toEqual([409, 'free_request_ended']);
    expect((await call(site.main, '/quick', 'next'))!.status).toBe(200);
    expect(await used()).toBe('1');
  });
});
