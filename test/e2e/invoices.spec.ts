import { randomUUID } from 'node:crypto';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { leafHash, merkleRoot } from '../../src/base/event-store/seals/merkle.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf } from '../support/http.js';

let app: App;
let customer: string;
let key: string;

const put = (path: string, body: object) => admin(app, path, { method: 'PUT', body });
const post = (path: string, body: object = {}) =>
  admin(app, path, { method: 'POST', body, headers: { 'idempotency-key': randomUUID() } });
const get = async (path: string) => JSON.parse((await admin(app, path)).body);

async function use(n: string, time: string): Promise<void> {
  const event = {
    specversion: '1.0',
    id: randomUUID(),
    source: '/s',
    type: 'tokens',
    subject: customer,
    time,
    data: { n },
  };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' };
  const { status } = await fetch(`${app.control}/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) });
  expect(status).toBeLessThan(300);
}

beforeAll(async () => {
  app = await startApp();
  customer = JSON.parse((await post('/accounts/demo', { credit_line: '100000000' })).body).customer;
  key = JSON.parse((await post('/tenants/demo/ingestion-keys')).body).key;
  await put('/meters/demo/tokens', { aggregation: 'sum', value: '/n', eventType: 'tokens', unit: 'token' });
});
afterAll(() => app?.stop());

it('a month of usage becomes a draft, then an invoice that says what it is made of', async () => {
  const charge = { model: 'per_unit', amount: '100000', per: 3, prorated: true };
  expect((await put('/meters/demo/tokens/price', { charge })).status).toBe(200);
  expect((await put(`/accounts/demo/${customer}/taxes`, { rates: [{ name: 'VAT', percent: '21' }] })).status).toBe(200);
  const seller = { name: 'Shop', country: 'NL', payment: ['IBAN NL01'] };
  expect((await put('/tenants/demo/seller', seller)).status).toBe(204);
  expect((await put(`/accounts/demo/${customer}/party`, { name: 'Buyer', country: 'DE', tax_id: 'DE1' })).status).toBe(
    204,
  );
  expect((await put('/tenants/demo/invoicing', { number_prefix: 'SHOP', due_days: 30 })).status).toBe(200);
  for (const n of ['100', '0.5']) await use(n, new Date().toISOString());
  await eventually(async () => (await get(`/accounts/demo/${customer}/upcoming-invoice`)).total === '405', 20_000);

  const { now } = await get('/tenants/demo/clock');
  const month = new Date(Date.UTC(Number(now.slice(0, 4)), Number(now.slice(5, 7)), 1));
  expect((await put('/tenants/demo/clock', { advance_to: month.toISOString() })).status).toBe(200);
  const draft = await eventually(async () => (await get(`/invoices?customer=${customer}`)).data[0], 30_000);
  expect(draft).toMatchObject({ state: 'draft', number: null });
  expect(await get(`/invoices/${draft.id}`)).toMatchObject({ kind: 'draft', total: '405' });
  await use('1', new Date(month.getTime() - 1000).toISOString());

  await eventually(async () => (await get(`/invoices/${draft.id}`)).total === '409', 20_000);
  const after = new Date(month.getTime() + 7_200_000).toISOString();
  expect((await put('/tenants/demo/clock', { advance_to: after })).status).toBe(200);
  const invoice = await eventually(async () => {
    const one = await get(`/invoices/${draft.id}`);
    return one.number === undefined ? undefined : one;
  }, 30_000);
  expect(invoice).toMatchObject({
    ...{ kind: 'invoice', number: 'SHOP-000001', state: 'open', subtotal: '338', total: '409', outstanding: '409' },
    ...{ seller: { name: 'Shop' }, buyer: { name: 'Buyer', taxId: 'DE1' }, residue: '-10000/3' },
    lines: [{ quantity: '101.5', exact: '10150000/3', amount: '338', events: 3 }],
  });
  const [line] = invoice.lines;
  const first = await get(`/invoices/${draft.id}/lines/${line.key}/items?limit=2`);
  const rest = await get(`/invoices/${draft.id}/lines/${line.key}/items?limit=2&cursor=${first.next_cursor}`);
  const leaves = [...first.data, ...rest.data].map(({ leaf }: { leaf: string }) => Buffer.from(leaf, 'hex'));
  expect(leaves).toHaveLength(3);
  expect(merkleRoot(Buffer.concat(leaves)).toString('base64url')).toBe(line.root);
  expect(leafHash('x')).not.toEqual(leaves[0]);

  const documents = `/invoices/${draft.id}/documents`;
  const page = await admin(app, `${documents}/html`);
  expect([page.headers['content-type'], page.body]).toEqual([
    'text/html; charset=utf-8',
    expect.stringMatching(/IBAN NL01[\s\S]*Reference: SHOP-000001/),
  ]);
  const pdf = await admin(app, `${documents}/pdf`);
  expect([pdf.headers['content-type'], pdf.body.slice(0, 5)]).toEqual(['application/pdf', '%PDF-']);
  const jws = (await admin(app, `${documents}/jws`)).body;
  const keys = createLocalJWKSet((await (await fetch(`${app.gateway}/.well-known/jwks.json`)).json()) as JSONWebKeySet);
  const { payload } = await compactVerify(jws, keys);
  expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ type: 'tollbook-invoice', total: '409' });

  const standing = async () => (await get(`/accounts/demo/${customer}`)).suspended_for;
  expect((await put('/tenants/demo/clock', { advance_to: invoice.dueAt })).status).toBe(200);
  await eventually(async () => (await standing()) === 'overdue', 30_000);
  const pay = async (reference: string, amount: string) => {
    const reply = await post(`/invoices/${draft.id}/payments`, { reference, amount });
    return reply.status === 200 ? JSON.parse(reply.body) : codeOf(reply);
  };
  expect(await pay('bank-1', '9')).toMatchObject({ state: 'partially_paid', outstanding: '400' });
  expect(await pay('bank-1', '9')).toMatchObject({ outstanding: '400' });
  expect(await pay('bank-2', '401')).toBe('payment_exceeds_invoice');
  const back = await post(`/invoices/${draft.id}/payments/bank-1/reverse`, { reason: 'refunded' });
  expect(JSON.parse(back.body)).toMatchObject({ state: 'open', outstanding: '409' });
  expect(await pay('bank-3', '409')).toMatchObject({ state: 'paid', outstanding: '0', paid: '409' });
  await eventually(async () => (await standing()) === null, 30_000);
  for (const [path, body] of [
    ['void', { reason: 'mistaken' }],
    ['write-off', { reason: 'other' }],
  ] as const) {
    expect(codeOf(await post(`/invoices/${draft.id}/${path}`, body))).toBe('invoice_not_open');
  }

  const notes = `/invoices/${draft.id}/credit-notes`;
  const keyed = (body: object, name: string) =>
    admin(app, notes, { method: 'POST', body, headers: { 'idempotency-key': name } });
  const part = { reason: 'quality', lines: [{ key: line.key, amount: '100' }] };
  const [issued, again] = [await keyed(part, 'note-1'), await keyed(part, 'note-1')];
  expect([issued.status, again.body]).toEqual([201, issued.body]);
  const note = JSON.parse(issued.body);
  expect(note).toMatchObject({ kind: 'credit_note', of: 'SHOP-000001', total: '121', returned: '121' });
  const listed = await eventually(async () => (await get(`/credit-notes?invoice=${draft.id}`)).data[0], 20_000);
  expect(listed).toMatchObject({ id: note.id, number: 1, total: '121', customer });
  expect(await get(`/credit-notes/${note.id}`)).toMatchObject({ number: 'CN-000001', lines: [{ amount: '100' }] });
  expect((await admin(app, `/credit-notes/${note.id}/documents/html`)).body).toContain('CN-000001');
  expect((await admin(app, `/credit-notes/${note.id}/documents/pdf`)).body.slice(0, 5)).toBe('%PDF-');
  const signed = await compactVerify((await admin(app, `/credit-notes/${note.id}/documents/jws`)).body, keys);
  expect(JSON.parse(Buffer.from(signed.payload).toString())).toMatchObject({ type: 'tollbook-credit-note' });
  expect(codeOf(await keyed({ reason: 'other', lines: [{ key: line.key, amount: '300' }] }, 'note-2'))).toBe(
    'credit_exceeds_invoice',
  );
  expect(codeOf(await admin(app, notes, { method: 'POST', body: part }))).toBe('idempotency_key_required');
  expect(await get(`/invoices/${draft.id}`)).toMatchObject({ state: 'paid', credited: '121', outstanding: '0' });

  const importFile = async (file: string, query = 'tenant=demo&account=NL01%20BANK') => {
    const headers = { authorization: `Bearer ${app.adminKey}`, 'content-type': 'text/csv' };
    const reply = await fetch(`${app.control}/admin/v1/bank-statements?${query}`, {
      method: 'POST',
      headers,
      body: file,
    });
    return { status: reply.status, body: await reply.text(), headers: Object.fromEntries(reply.headers) };
  };
  const file = 'date,amount,text\n2026-12-01,1.50,SHOP-000001 again\n2026-12-01,2.00,who knows\n2026-12-01,?,\n';
  const imported = JSON.parse((await importFile(file)).body);
  expect(imported).toMatchObject({ matched: 1, unmatched: 1, rejected: 1, duplicate: 0 });
  expect(imported.results[0]).toMatchObject({ invoice: draft.id, how: 'over', applied: '0', over: '150' });
  expect(JSON.parse((await importFile(file)).body)).toMatchObject({ matched: 0, duplicate: 2, rejected: 1 });
  const [unmatched] = (await get('/bank-lines?tenant=demo&state=unmatched')).data;
  expect(unmatched).toMatchObject({ amount: '200', account: 'NL01BANK', text: 'who knows', state: 'unmatched' });
  const lines = `/bank-lines/${unmatched.id}`;
  const matched = await post(`${lines}/match`, { invoice: draft.id });
  expect(JSON.parse(matched.body)).toMatchObject({ state: 'matched', invoice: draft.id, reference: unmatched.id });
  expect((await post(`${lines}/match`, { invoice: draft.id })).status).toBe(200);
  expect(codeOf(await post(`${lines}/ignore`))).toBe('bank_line_taken');
  expect(JSON.parse((await post(`${lines}/undo`)).body)).toMatchObject({ state: 'unmatched' });
  expect(JSON.parse((await post(`${lines}/ignore`)).body)).toMatchObject({ state: 'ignored' });
  const second = await get(`/bank-lines?tenant=demo&limit=1&cursor=${(await get('/bank-lines?limit=1')).next_cursor}`);
  expect(second.data).toHaveLength(1);
  expect(codeOf(await importFile('a,b\n'))).toBe('invalid_request');
  expect(codeOf(await importFile(file, 'tenant=demo'))).toBe('invalid_request');
  const tooLarge = { 'content-type': 'text/csv', 'content-length': '5300000' };
  const statements = '/bank-statements?tenant=demo&account=NL01BANK';
  expect((await admin(app, statements, { method: 'POST', headers: tooLarge, body: '' })).status).toBe(413);
  expect(codeOf(await post('/bank-lines/bl_0/ignore'))).toBe('unknown_bank_line');
  expect(codeOf(await admin(app, '/credit-notes/crn_0'))).toBe('unknown_credit_note');
  expect(codeOf(await put('/tenants/demo/clock', { advance_to: now }))).toBe('clock_goes_back');
  expect(codeOf(await admin(app, '/invoices/inv_0'))).toBe('unknown_invoice');
});

it('prices and clocks are refused with what is wrong', async () => {
  const refused = await put('/meters/demo/tokens/price', {
    charge: { model: 'graduated', tiers: [{ upTo: 1, amount: '1' }] },
  });
  expect([refused.status, codeOf(refused)]).toEqual([400, 'invalid_request']);
  expect((await put('/meters/demo/none/price', { charge: { model: 'flat', amount: '1' } })).status).toBe(404);
  expect((await put('/tenants/demo/clock', { advance_to: 'soon' })).status).toBe(400);
});
