import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readSeal, type Seal } from '../../src/base/event-store/seals/seal.js';
import { readSeals } from '../../src/base/event-store/seals/seal-table.js';
import { Sealer } from '../../src/base/event-store/seals/sealer.js';
import { verifySeals } from '../../src/base/event-store/seals/verify-seals.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { eventually } from '../support/eventually.js';
import { scale, seed } from '../support/long.js';
import { processScript } from '../support/process-script.js';
import { Dice, openLog, RECEIPT_KEY, type SealedLog } from './support.js';

const SEALERS = 4;
const KILLS = scale(4, 60);

let log: SealedLog;

beforeEach(async () => {
  log = await openLog();
});
afterEach(() => log.close());

async function seals(): Promise<Seal[]> {
  return (await readSeals(log.pool, 1, 100_000)).map(({ jws }) => readSeal(jws)!);
}

async function witnessed(): Promise<string[]> {
  const lines = (await readFile(log.witness.path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { jws: string }).jws);
}

async function expectSealedOnce(): Promise<void> {
  await log.seal();
  const report = await log.verify();
  expect(report).toMatchObject({ differences: [], unsealed: 0 });
  expect(await witnessed()).toEqual((await seals()).map(({ jws }) => jws));
  let next = 1n;
  for (const { from, to } of await seals()) {
    expect(from).toBe(next);
    next = to + 1n;
  }
  expect(next - 1n).toBe(BigInt(report.events));
}

describe('the sealer', () => {
  it('seals what there is, in one chain, and nothing when there is nothing', async () => {
    await log.seal();
    expect(await seals()).toEqual([]);
    await log.pay(0, 5);
    await log.seal();
    await log.pay(5, 9);
    await log.seal();
    await log.seal();
    const [first, second, ...more] = await seals();
    expect(more).toEqual([]);
    expect(first!.payload).toMatchObject({ number: 1, from: '1', previous: '', history: '' });
    expect(second!.payload).toMatchObject({ number: 2, previous: first!.digest });
    expect((await stat(log.witness.path)).mode & 0o777).toBe(0o600);
    await expectSealedOnce();
  });

  it('signs for a host that may move later, with a key that stays', async () => {
    await log.pay(0, 5);
    await log.seal();
    const keysOf = (seed: Hex) => new ReceiptSigner('https://pay.example', [seed]).jwks();
    const verifyWith = (seed: Hex) => verifySeals(log.pool, keysOf(seed), log.witness.path);
    expect((await verifyWith(RECEIPT_KEY)).differences).toEqual([]);
    const kinds = (await verifyWith(`0x${'77'.repeat(32)}`)).differences.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['seal-forged', 'witness-differs']));
  });

  it('shares the log with others: no gap, no overlap, nothing twice', async () => {
    const sealers = Array.from({ length: SEALERS }, () => new Sealer(log.parts));
    let paying = true;
    const sealing = sealers.map(async (sealer) => {
      while (paying) await sealer.step();
    });
    await log.pay(0, 60);
    paying = false;
    await Promise.all(sealing);
    await expectSealedOnce();
  });

  it('gives a witness that was lost all seals again', async () => {
    await log.pay(0, 5);
    await log.seal();
    await writeFile(log.witness.path, '');
    await log.pay(5, 9);
    await expectSealedOnce();
  });

  it('mends a last line that was torn', async () => {
    for (const tear of [1, 40, 300]) {
      await log.pay(tear, tear + 2);
      await log.seal();
      await truncate(log.witness.path, (await stat(log.witness.path)).size - tear);
      expect(await log.verify()).toMatchObject({ differences: [] });
      await expectSealedOnce();
    }
  });

  it('seals nothing when witness and table say different things', async () => {
    await log.pay(0, 5);
    await log.seal();
    const other = log.parts.signer.sign({ ...(await seals())[0]!.payload, sealedAt: '2020-01-01T00:00:00.000Z' });
    await writeFile(log.witness.path, `${JSON.stringify({ number: 1, jws: other })}\n`);
    await log.pay(5, 9);
    await expect(log.seal()).rejects.toThrow('seal 1 is not what');
    await writeFile(log.witness.path, 'nonsense\n');
    await expect(log.seal()).rejects.toThrow('is no seal');
    expect(await seals()).toHaveLength(1);
    expect((await log.verify()).differences).toMatchObject([{ kind: 'witness-differs' }]);
  });

  it('goes on over events that were removed before they were sealed, and the gap stays visible', async () => {
    await log.pay(0, 5);
    const client = await log.pool.connect();
    await client.query(
      'begin; set local session_replication_role = replica; delete from events where position = 4; commit',
    );
    client.release();
    await log.seal();
    expect((await log.verify()).differences).toMatchObject([{ kind: 'event-removed', from: 4n, to: 4n }]);
  });

  it('leaves whole seals and a witness that can be completed, whenever it is killed', async () => {
    const dice = new Dice(seed);
    let payments = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(
        process.execPath,
        [processScript('test/seals/sealer-process'), log.databaseUrl, dirname(log.witness.path)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      const strike = (await seals()).length + dice.between(1, 12);
      let struck = false;
      const paying = (async () => {
        for (; !struck; payments++) await log.pay(payments, payments + 1);
      })();
      await eventually(async () => (await seals()).length >= strike, 30_000);
      child.kill('SIGKILL');
      struck = true;
      await Promise.all([ended, paying]);
      expect((await log.verify()).differences).toEqual([]);
    }
    await expectSealedOnce();
  });
});

describe('the tables of seals', () => {
  it.each([
    'update seals set jws = jws',
    'delete from seals',
    'truncate seals',
    'delete from seal_leaves',
    'truncate seal_leaves',
    'update seal_leaves set number = 1',
  ])('refuse: %s', async (sql) => {
    await log.pay(0, 1);
    await log.seal();
    await expect(log.pool.query(sql)).rejects.toThrow('seals are never changed or deleted');
  });
});

describe('the witness', () => {
  it('may repeat itself, and must not contradict itself', async () => {
    await log.pay(0, 3);
    await log.seal();
    const line = await readFile(log.witness.path, 'utf8');
    await appendFile(log.witness.path, line);
    expect((await log.verify()).differences).toEqual([]);
    const other = log.parts.signer.sign({ ...(await seals())[0]!.payload, sealedAt: '2020-01-01T00:00:00.000Z' });
    await appendFile(log.witness.path, `${JSON.stringify({ number: 1, jws: other })}\n`);
    expect((await log.verify()).differences).toMatchObject([{ kind: 'witness-differs' }]);
  });
});
