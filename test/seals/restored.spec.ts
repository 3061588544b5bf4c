import { copyFile } from 'node:fs/promises';
import { acceptLoss } from '../../src/base/event-store/seals/accept-loss.js';
import { inclusionProofOf } from '../../src/base/event-store/seals/proof.js';
import { readRestorations } from '../../src/base/event-store/seals/restorations.js';
import { readSeal } from '../../src/base/event-store/seals/seal.js';
import { readSeals } from '../../src/base/event-store/seals/seal-table.js';
import { openLog, type SealedLog } from './support.js';

let log: SealedLog;
let backup: { readonly seals: number; readonly head: bigint };

async function head(): Promise<bigint> {
  const { rows } = await log.pool.query<{ head: string }>('select max(position)::text as head from events');
  return BigInt(rows[0]!.head);
}

/** Takes the tables back to where they were; the witness stays, as it is no part of a backup of the database. */
async function restore(): Promise<void> {
  const client = await log.pool.connect();
  await client.query('begin; set local session_replication_role = replica');
  await client.query(`delete from events where position > ${backup.head}`);
  await client.query(`delete from seals where number > ${backup.seals}`);
  await client.query(`delete from seal_leaves where number > ${backup.seals}`);
  await client.query('commit');
  client.release();
}

async function lastSeal() {
  const all = await readSeals(log.pool, 1, 1_000);
  return readSeal(all.at(-1)!.jws)!;
}

/** Three seals and unsealed events are in the backup; three more seals come behind it. */
beforeEach(async () => {
  log = await openLog();
  for (let n = 0; n < 15; n += 5) {
    await log.pay(n, n + 5);
    await log.seal();
  }
  await log.pay(15, 17);
  backup = { seals: 3, head: await head() };
  for (let n = 17; n < 32; n += 5) {
    await log.pay(n, n + 5);
    await log.seal();
  }
});
afterEach(() => log.close());

describe('a database restored from a backup', () => {
  it('is found to be older than the witness, before anybody has sealed again', async () => {
    const lost = await lastSeal();
    await restore();
    const { differences } = await log.verify();
    expect(differences).toMatchObject([{ kind: 'events-lost', to: lost.to }]);
    expect(differences[0]!.from).toBeLessThanOrEqual(backup.head + 1n);
  });

  it('signs no number twice, names what is lost, and is whole again once that is accepted', async () => {
    const sealed = await readSeals(log.pool, 1, 100);
    const lost = await lastSeal();
    const kept = (await readSeals(log.pool, 3, 1)).map(({ jws }) => readSeal(jws)!)[0]!;
    await restore();
    await log.pay(50, 60);
    await log.seal();

    const { restorations } = await readRestorations(log.pool, log.parts.signer.jwks());
    expect(restorations).toMatchObject([
      { lostFrom: kept.to + 1n, lostTo: lost.to, seals: { from: 4, to: 6 }, accepted: false },
    ]);
    const now = await readSeals(log.pool, 1, 100);
    expect(now.slice(0, 6)).toEqual(sealed);
    expect(readSeal(now[6]!.jws)!.payload).toMatchObject({ number: 7, from: (kept.to + 1n).toString() });
    expect((await log.verify()).differences).toMatchObject([{ kind: 'events-lost', from: kept.to + 1n, to: lost.to }]);

    expect(await acceptLoss(log.parts)).toHaveLength(1);
    expect(await acceptLoss(log.parts)).toEqual([]);
    expect(await log.verify()).toMatchObject({ differences: [], unsealed: 0, restorations: [{ accepted: true }] });
    expect(await inclusionProofOf(log.pool, kept.to + 1n)).toMatchObject({ seal: 7 });
  });

  it('is restored twice, and both losses stay on record', async () => {
    await restore();
    await log.pay(50, 52);
    await acceptLoss(log.parts);
    await restore();
    await acceptLoss(log.parts);
    const report = await log.verify();
    expect(report.differences).toEqual([]);
    expect(report.restorations).toHaveLength(1);
    await log.pay(60, 62);
    await log.seal();
    expect((await log.verify()).differences).toEqual([]);
  });

  it('is found out even if it is edited afterwards', async () => {
    await restore();
    await log.pay(50, 52);
    await acceptLoss(log.parts);
    const client = await log.pool.connect();
    await client.query(
      "begin; set local session_replication_role = replica; update events set tenant = 'x' where position in (2, " +
        (backup.head + 1n) +
        '); commit',
    );
    client.release();
    expect((await log.verify()).differences).toMatchObject([
      { kind: 'event-edited', from: 2n },
      { kind: 'event-edited', from: backup.head + 1n },
    ]);
  });

  it('takes seals back whose events are all there', async () => {
    const witness = `${log.witness.path}.copy`;
    await copyFile(log.witness.path, witness);
    const before = await readSeals(log.pool, 1, 100);
    const client = await log.pool.connect();
    await client.query(
      'begin; set local session_replication_role = replica; delete from seals where number > 4; delete from seal_leaves where number > 4; commit',
    );
    client.release();
    expect((await log.verify()).differences).toMatchObject([{ kind: 'seal-missing' }, { kind: 'seal-missing' }]);
    await log.seal();
    expect(await readSeals(log.pool, 1, 100)).toEqual(before);
    expect(await log.verify()).toMatchObject({ differences: [], restorations: [] });
  });
});

describe('a restore that never was', () => {
  /** What the owner of the database can write without the signing key: an edit, and a story of a backup that explains it. */
  async function pretend(): Promise<void> {
    const [fifth] = (await readSeals(log.pool, 5, 1)).map(({ jws }) => readSeal(jws)!);
    const { to, payload } = await lastSeal();
    const seals = { from: 5, to: payload.number };
    const restored = { lostFrom: String(fifth!.from), lostTo: String(to), head: String(to), seals };
    const client = await log.pool.connect();
    await client.query('begin; set local session_replication_role = replica');
    await client.query("update events set tenant = 'x' where position = $1", [String(fifth!.from)]);
    await client.query('delete from seal_leaves where number >= 5');
    await client.query(
      `insert into events select $1::bigint + n, 'log/restorations', n, type, 1, '*', data, now()
       from unnest(array[1, 2], array['LogRestored', 'LossAccepted'], array[$2, $3]::jsonb[]) as e (n, type, data)`,
      [String(await head()), JSON.stringify(restored), JSON.stringify({ seals })],
    );
    await client.query('commit');
    client.release();
  }

  it('is not accepted by an event that nobody signed', async () => {
    await pretend();
    await log.seal();
    const { differences, restorations } = await log.verify();
    expect(restorations).toMatchObject([{ accepted: false }]);
    expect(differences).toMatchObject([{ kind: 'events-lost' }]);
  });
});
