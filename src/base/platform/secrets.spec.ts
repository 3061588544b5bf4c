import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSecrets } from './secrets.js';

const FROM_ENVIRONMENT = {
  TOLLBOOK_ADMIN_KEY: 'an admin key would have no blanks'.replaceAll(' ', '-'),
  TOLLBOOK_SIGNER_KEY: `0x${'A1b2'.repeat(16)}`,
  TOLLBOOK_RECEIPT_KEY: 'c3d4'.repeat(16),
  TOLLBOOK_QUOTE_SECRET: 'a secret that all gateways share',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollbook-secrets-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('secrets', () => {
  it('are made once, for the owner only, and stay', async () => {
    const dataDir = join(folder, 'new');
    const first = await loadSecrets(dataDir, {});
    expect(first.settlerKeys).toEqual([expect.stringMatching(/^0x[0-9a-f]{64}$/)]);
    expect(first.adminKey.length).toBeGreaterThanOrEqual(32);
    expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect(await loadSecrets(dataDir, {})).toEqual(first);
  });

  it('are the same for all that start at once', async () => {
    const loads = Array.from({ length: 16 }, () => loadSecrets(folder, {}));
    const all = await Promise.all(loads);
    expect(new Set(all.map((secrets) => secrets.settlerKeys[0])).size).toBe(1);
    expect(await readdir(folder)).toEqual(['secrets.json']);
  });

  it('come from the environment first, and then leave no file', async () => {
    const secrets = await loadSecrets(folder, FROM_ENVIRONMENT);
    expect(secrets.adminKey).toBe(FROM_ENVIRONMENT.TOLLBOOK_ADMIN_KEY);
    expect(secrets.settlerKeys).toEqual([`0x${'a1b2'.repeat(16)}`]);
    expect(secrets.receiptKey).toBe(`0x${'c3d4'.repeat(16)}`);
    expect(secrets.quoteSecret.toString()).toBe(FROM_ENVIRONMENT.TOLLBOOK_QUOTE_SECRET);
    expect(await readdir(folder)).toEqual([]);
  });

  it('have as many settlers as are listed, each once', async () => {
    const [one, two] = ['a1b2'.repeat(16), `0x${'e5f6'.repeat(16)}`];
    const listed = { ...FROM_ENVIRONMENT, TOLLBOOK_SIGNER_KEY: `${one}, ${two},${one.toUpperCase()}` };
    expect((await loadSecrets(folder, listed)).settlerKeys).toEqual([`0x${one}`, two]);
  });

  it('can move from the file to the environment', async () => {
    const made = await loadSecrets(folder, {});
    const stored = JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8'));
    const elsewhere = join(folder, 'elsewhere');
    const moved = await loadSecrets(elsewhere, {
      TOLLBOOK_ADMIN_KEY: stored.adminKey,
      TOLLBOOK_SIGNER_KEY: stored.settlerKey,
      TOLLBOOK_REFUND_KEY: stored.refundKey,
      TOLLBOOK_RECEIPT_KEY: stored.receiptKey,
      TOLLBOOK_QUOTE_SECRET: stored.quoteSecret,
    });
    expect(moved).toEqual(made);
  });

  it('have a refund wallet if one is named, or was made with the others, and never a settler for one', async () => {
    const key = 'e5f6'.repeat(16);
    expect((await loadSecrets(folder, { ...FROM_ENVIRONMENT, TOLLBOOK_REFUND_KEY: key })).refundKeys).toEqual([
      `0x${key}`,
    ]);
    expect((await loadSecrets(folder, FROM_ENVIRONMENT)).refundKeys).toEqual([]);
    const { settlerKeys } = await loadSecrets(folder, {});
    const both = loadSecrets(folder, { TOLLBOOK_REFUND_KEY: settlerKeys[0] });
    await expect(both).rejects.toThrow('TOLLBOOK_REFUND_KEY should be another key');
  });

  it('stay without a refund wallet if their file is of an earlier version', async () => {
    await loadSecrets(folder, {});
    const file = join(folder, 'secrets.json');
    const { refundKey: __, ...earlier } = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify(earlier));
    expect((await loadSecrets(folder, {})).refundKeys).toEqual([]);
  });

  it('derive separate keys from the quote secret', async () => {
    const { quoteSecret, answerKey, upstreamSecret, demoPayee } = await loadSecrets(folder, FROM_ENVIRONMENT);
    expect(new Set([quoteSecret, answerKey, upstreamSecret].map((key) => key.toString('hex'))).size).toBe(3);
    expect([answerKey.length, upstreamSecret.length]).toEqual([32, 32]);
    // Fixed: a change would make stored answers unreadable and move the demo's revenue.
    expect(answerKey.toString('hex')).toBe('cd5b61ceef5ff6207a9c969d6e7eb468aa8a1c2802108ebe6a9845142ae3e157');
    expect(demoPayee).toBe('0x7094346695d17ed3df74c258f0ae7c7bfcfe936a');
  });

  it('say which one a damaged file lacks, and nothing of the others', async () => {
    await writeFile(join(folder, 'secrets.json'), JSON.stringify({ adminKey: 'visible?' }));
    const failure = loadSecrets(folder, {}).catch((error: Error) => error.message);
    expect(await failure).toMatch(/secrets\.json has no quoteSecret/);
    expect(await failure).not.toMatch(/visible/);
  });
});
