import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { Sealer } from '../../src/base/event-store/seals/sealer.js';
import { Witness, witnessPathOf } from '../../src/base/event-store/seals/witness.js';
import { openPool } from '../../src/base/platform/pool.js';
import { loadSecrets } from '../../src/base/platform/secrets.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { type LocalChain, startLocalChain } from '../chain/support.js';
import { log } from '../settlement/support.js';
import { freshDatabase } from '../support/engines.js';
import { copyOf } from './stand.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let chain: LocalChain;
let databaseUrl: string;
let folder: string;

beforeAll(async () => {
  chain = await startLocalChain();
  databaseUrl = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'tollbook-verify-'));
  await loadSecrets(folder, {});
});
afterAll(async () => {
  await chain.stop();
  await rm(folder, { recursive: true });
});

/** `npm run verify` as a process of its own, on an empty book. */
function verify(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const settings = { DATABASE_URL: databaseUrl, CHAIN_RPC_URL: chain.rpcUrl, TOLLBOOK_DATA_DIR: folder, ...env };
  const command = [join(ROOT, 'dist', 'verify.js'), ...args];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      command,
      { cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Appends events and seals them, with the key and the witness of the data folder. */
async function sealEvents(url: string, count: number): Promise<void> {
  const pool = openPool(url, 'test-sealing', 4, log);
  const { receiptKey } = await loadSecrets(folder, {});
  const store = new EventStore(pool, systemClock);
  const signer = new ReceiptSigner('http://localhost:4020', [receiptKey]);
  const witness = new Witness(witnessPathOf(folder));
  for (let n = 0; n < count; n++) {
    const decide = () => ({ events: [{ type: 'Noted', schema: 1, data: { n } }] });
    await store.append({ stream: `note/${randomUUID()}`, tenant: 'demo', expectedVersion: 0, decide });
  }
  await new Sealer({ pool, store, signer, witness, clock: systemClock, log }).step();
  await pool.end();
}

describe('npm run verify', () => {
  it('prints one line per check and a verdict, and ends with 0', async () => {
    const { code, stdout } = await verify([]);
    const lines = stdout.trim().split('\n');
    const names = [
      'log',
      'shapes',
      'seals',
      'catalogue',
      'usage',
      'commitments',
      'invoices',
      'ledger',
      'holds',
      'projections',
      'receipts',
      'chain',
      'gas',
    ];
    expect(lines.slice(0, -1).map((line) => line.split(/\s+/).slice(0, 2).join(' '))).toEqual(
      names.map((name) => `✓ ${name}`),
    );
    expect(lines.at(-1)).toBe('The books are in order: 13 checks passed.');
    expect(code).toBe(0);
  });

  it('names what differs and ends with 1, for people and for programs', async () => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(`insert into hold_totals values ('exposure/demo/eip155:84532/0x0a/0x0b', 4)`);
    try {
      const { code, stdout } = await verify(['--only', 'holds,log']);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^✓ log .*\n✗ holds .*1 difference /);
      expect(stdout).toContain('    hold: hold_totals exposure/demo/eip155:84532/0x0a/0x0b: expected 0, found 4\n');
      const json = await verify(['--only', 'holds', '--json']);
      expect(JSON.parse(json.stdout)).toMatchObject({
        passed: false,
        checks: [{ name: 'holds', differences: [{ found: '4' }] }],
      });
      expect(json.code).toBe(1);
    } finally {
      await client.query('delete from hold_totals');
      await client.end();
    }
  });

  it('does not pass a check that could not be made, and makes the others', async () => {
    const { code, stdout } = await verify(['--only', 'log,gas'], { CHAIN_RPC_URL: 'http://127.0.0.1:9' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/✓ log .*\n✗ gas .*\n {4}not compared: it could not be run: /);
  });

  it('names what a restored backup lacks until the loss is accepted', async () => {
    const current = await freshDatabase();
    await sealEvents(current, 3);
    const backup = await copyOf(current);
    await sealEvents(current, 2);
    const asked = await verify(['--only', 'seals'], { DATABASE_URL: backup });
    expect(asked.code).toBe(1);
    expect(asked.stdout).toMatch(/events-lost: positions 4 to 5:/);
    const accepted = await verify(['--only', 'seals', '--accept-loss'], { DATABASE_URL: backup });
    expect(accepted.stderr).toMatch(/^Accepted: positions \d+ to 5 are lost\.$/m);
    expect(accepted.stdout).toMatch(/✓ seals .*1 noted/);
    expect(accepted.code).toBe(0);
    expect((await verify(['--only', 'seals'], { DATABASE_URL: backup })).code).toBe(0);
  });

  it('makes no keys of its own, by which every seal would be forged', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const { code, stderr } = await verify(['--only', 'log'], { TOLLBOOK_DATA_DIR: elsewhere });
    expect(stderr).toContain('The keys of this book are not here');
    expect(code).toBe(2);
    expect(existsSync(elsewhere)).toBe(false);
  });

  it.each([['--only', 'nothing'], ['--fast'], ['--only', '']])('ends with 2 for %s', async (...args) => {
    const { code, stderr } = await verify(args.filter((arg) => arg !== undefined));
    expect(stderr).toContain('Usage: npm run verify');
    expect(code).toBe(2);
  });
});
