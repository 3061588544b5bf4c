import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { ProvedReceipt } from '../../src/domains/receipts/proved-receipt.js';
import { saveReceipts } from '../../src/edges/cli/agent-save.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { addressOf, buy, newBuyer } from '../support/payment.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const COMMAND = join(ROOT, 'packages', 'verifier', 'bin', 'tollbook-verify.js');
const SEALED_MS = 30_000;

let app: App;
let folder: string;
/** Addresses of two receipts, of a payment that was settled later and of one that was settled first. */
let urls: string[];

beforeAll(async () => {
  app = await startApp();
  folder = mkdtempSync(join(tmpdir(), 'tollbook-receipts-'));
  const buyer = await newBuyer(app, 1_000_000n);
  urls = [];
  for (const path of ['/demo/weather', '/demo/slow']) {
    const { headers, status } = await buy(buyer, { url: app.gateway + path });
    expect({ payer: addressOf(buyer), status }).toMatchObject({ status: 200 });
    urls.push(`${app.gateway}/receipts/${headers['tollbook-payment']}`);
  }
});

afterAll(async () => {
  await app?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

async function read(url: string): Promise<ProvedReceipt> {
  return JSON.parse((await send({ url })).body) as ProvedReceipt;
}

/** The receipt once the payment is settled and all its events are sealed. */
function sealed(url: string): Promise<ProvedReceipt> {
  return eventually(async () => {
    const found = await read(url);
    const events = found.receipt.events as readonly unknown[];
    if (found.receipt.status !== 'settled') throw new Error(`it is ${found.receipt.status}`);
    return found.proofs.length === events.length && found;
  }, SEALED_MS);
}

function verify(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

describe('a receipt', () => {
  it('can be proved by a stranger, offline, when its events are sealed', async () => {
    for (const url of urls) await sealed(url);
    const purchases = urls.map((receiptUrl) => ({ receiptUrl })) as never;
    expect(await saveReceipts(app.gateway, purchases, folder)).toBe(2);
    const keys = join(folder, 'jwks.json');
    const seals = join(app.dataDir, 'seals.jsonl');
    const files = readdirSync(folder).filter((name) => name.startsWith('pay_'));
    expect(files).toHaveLength(2);
    for (const name of files) {
      const { code, output } = verify(join(folder, name), '--keys', keys, '--seals', seals);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toMatch(/(\d+) of \1 events proved to be sealed/);
    }
  });

  it('is checked over the wire as well', () => {
    expect(verify('--online', urls[0]!)).toMatchObject({ code: 0 });
  });

  it('keeps its bytes: sealing adds proofs beside what was signed', async () => {
    const first = await read(urls[0]!);
    const again = await read(urls[0]!);
    expect(again).toEqual(first);
    expect(Object.keys(first)).toEqual(['receipt', 'signature', 'official', 'proofs', 'seals']);
  });

  it('and its proofs say nothing of the data of an event', async () => {
    const headers = { authorization: `Bearer ${app.adminKey}` };
    const { proofs, receipt } = await read(urls[0]!);
    const text = JSON.stringify({ proofs, receipt });
    const { body } = await send({ url: `${app.control}/admin/v1/events/${proofs[0]!.header.position}`, headers });
    const { data } = JSON.parse(body) as { data: Record<string, string> };
    for (const secret of ['payloadDigest', 'quote', 'gateway']) {
      expect(data[secret]).toEqual(expect.any(String));
      expect(text).not.toContain(data[secret]);
    }
  });
});

describe('the proof of an event', () => {
  it('holds as the control plane gives it, and not with other data', async () => {
    const { proofs } = await read(urls[0]!);
    const headers = { authorization: `Bearer ${app.adminKey}` };
    const { body } = await send({ url: `${app.control}/admin/v1/events/${proofs[0]!.header.position}/proof`, headers });
    const file = join(folder, 'event.json');
    const keys = join(folder, 'jwks.json');
    writeFileSync(file, body);
    expect(verify('--event', file, '--keys', keys)).toMatchObject({ code: 0 });
    writeFileSync(file, body.replace('"method":"GET"', '"method":"PUT"'));
    expect(verify('--event', file, '--keys', keys)).toMatchObject({ code: 1 });
  });
});

describe('a log that was altered', () => {
  it('gives no receipt for what it altered', async () => {
    const kept = readFileSync(join(folder, readdirSync(folder).find((name) => urls[1]!.includes(name.slice(0, -5)))!));
    const { proofs } = await read(urls[1]!);
    const client = new pg.Client({ connectionString: app.engines.postgres });
    await client.connect();
    try {
      await client.query('set session_replication_role = replica');
      const set = `jsonb_set(data, '{terms,amount}', '"1"')`;
      await client.query(`update events set data = ${set} where position = $1`, [proofs[0]!.header.position]);
    } finally {
      await client.end();
    }
    const reply = await send({ url: urls[1]! });
    expect({ status: reply.status, code: codeOf(reply) }).toEqual({ status: 409, code: 'event_altered' });
    // What the buyer holds stays good.
    writeFileSync(join(folder, 'kept.json'), kept);
    expect(verify(join(folder, 'kept.json'), '--keys', join(folder, 'jwks.json'))).toMatchObject({ code: 0 });
  });
});
