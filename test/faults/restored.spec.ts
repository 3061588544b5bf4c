import { jest } from '@jest/globals';
import { paymentOfStream } from '../../src/domains/payments/payment.js';
import { QUEUE_PREFIX, queueNameOf } from '../../src/domains/settlement/settlement.queue.js';
import { sql, withRedis } from '../embedded/support.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { transfers } from '../support/usdc.js';
import { type Backup, backUp } from './backup.js';
import { type Booked, held, payments } from './books.js';
import { runCommand, verify } from './commands.js';
import { introduce, load, present, sign, signMany, type Ticket } from './customer.js';
import { enginePids } from './engine-pids.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 12;
const LANES = 4;
const SETTLED_MS = 40_000;

/** Three starts, and a busy machine takes its time; usually a third of this is enough. */
jest.setTimeout(180_000);

type Books = ReadonlyMap<string, Booked>;

let site: Site;
let gateway: App;
let control: App;
let backup: Backup;
/** In delivery, delivered, and settled when the backup was taken. */
let begun: Ticket;
let openThen: Ticket[];
let settledThen: Ticket[];
/** What came later and is not in the backup: settled on the chain, or delivered and never settled. */
let lostSettled: Ticket[];
let lostOpen: Ticket[];
let knownThen: readonly string[];
let booksLost: Books;
/** As far as the lost log was sealed, at least. */
let lostTo: bigint;

beforeAll(async () => {
  // The engines are the worker's, and so is the data folder with the witness; they outlive its kill.
  site = await openSite('worker');
  await startOthers();
  await tradeUntilBackup();
  backup = await backUp(site.main.dataDir);
  await site.restart();
  await startOthers();
  await tradeUntilLoss();
  await backup.putBack();
  await site.restart();
  await startOthers();
}, 180_000);

afterAll(async () => {
  await site?.stop();
  await backup?.remove();
});

async function startOthers(): Promise<void> {
  [gateway, control] = await Promise.all([site.join('gateway'), site.join('control')]);
  await open(gateway.gateway);
}

async function killAll(): Promise<void> {
  await Promise.all([gateway, control, site.main].map((app) => app.kill('SIGKILL')));
}

async function stopPostgres(signal: NodeJS.Signals): Promise<void> {
  const pids = await enginePids(site.main.dataDir, 'postgres');
  for (const pid of pids) process.kill(pid, signal);
  await eventually(async () => (await enginePids(site.main.dataDir, 'postgres')).length === 0, 20_000);
}

async function books(): Promise<Books> {
  return new Map((await payments(control)).map((one) => [one.id, one]));
}

/** Ids of the payments in the log. */
async function knownPayments(): Promise<string[]> {
  const rows = await sql(site.main.engines.postgres, "select stream from events where type = 'PaymentAuthorized'");
  return rows.map(({ stream }) => paymentOfStream(stream));
}

async function buy(count: number): Promise<Ticket[]> {
  const tickets = await signMany(gateway.gateway, '/quick', count);
  const outcomes = await load(gateway.gateway, tickets, LANES);
  expect(outcomes.map(({ status }) => status)).toEqual(tickets.map(() => 200));
  return tickets;
}

function settled(tickets: readonly Ticket[]): Promise<Books> {
  return eventually(async () => {
    const all = await books();
    const states = tickets.map(({ id }) => all.get(id)?.state);
    if (states.some((state) => state !== 'settled')) throw new Error(`not settled: ${states.join(' ')}`);
    return all;
  }, SETTLED_MS);
}

async function tradeUntilBackup(): Promise<void> {
  settledThen = await buy(TICKETS);
  await settled(settledThen);
  await site.main.kill('SIGKILL');
  openThen = await buy(TICKETS);
  begun = await sign(gateway.gateway, '/gate');
  const answer = present(gateway.gateway, begun);
  await eventually(() => site.provider.waiting() === 1);
  knownThen = await knownPayments();
  await killAll();
  await answer;
  await stopPostgres('SIGINT');
}

async function tradeUntilLoss(): Promise<void> {
  lostSettled = await buy(TICKETS);
  booksLost = await settled([...openThen, ...lostSettled]);
  lostTo = await sealed();
  lostOpen = await signMany(gateway.gateway, '/quick', TICKETS);
  await introduce(gateway.gateway);
  const [chain] = await enginePids(site.main.dataDir, 'anvil');
  process.kill(chain!, 'SIGSTOP');
  const outcomes = await Promise.all(lostOpen.map((ticket) => present(gateway.gateway, ticket)));
  expect(outcomes.map(({ status }) => status)).toEqual(lostOpen.map(() => 200));
  await eventually(async () => (await jobsOf(lostOpen)) === lostOpen.length);
  await killAll();
  await stopPostgres('SIGKILL');
  process.kill(chain!, 'SIGCONT');
}

/** The log's last position, once it is sealed. */
async function sealed(): Promise<bigint> {
  const [log] = await sql(site.main.engines.postgres, 'select max(position) as head from events');
  await eventually(async () => {
    const [seals] = await sql(site.main.engines.postgres, 'select max(to_position) as head from seals');
    return BigInt(seals!.head ?? 0) >= BigInt(log!.head);
  }, SETTLED_MS);
  return BigInt(log!.head);
}

function jobsOf(tickets: readonly Ticket[]): Promise<number> {
  const keys = tickets.map(({ id }) => `${QUEUE_PREFIX}:${queueNameOf('eip155:84532')}:${id}`);
  return withRedis(site.main.engines.redis, (redis) => redis.exists(...keys));
}

/** Transactions of the chain that paid the market, one entry for each payment. */
async function moved(): Promise<string[]> {
  return (await transfers(site.main.engines.chain, { to: site.payee })).map(({ transaction }) => transaction).sort();
}

/** Settled before the restore, and not in the restored log. */
function lostFrom(all: Books): Booked[] {
  return [...booksLost.values()].filter(({ id }) => !all.has(id));
}

/** These are settled, nothing is held any more, and the chain moved what the books name and what they lost, once each. */
async function expectSettled(tickets: readonly Ticket[]): Promise<Books> {
  const all = await settled(tickets);
  await eventually(async () => (await held(site.main.engines.postgres)) === 0n, SETTLED_MS);
  const paid = [...all.values(), ...lostFrom(all)].filter(({ state }) => state === 'settled');
  expect(await moved()).toEqual(paid.map(({ transaction }) => transaction).sort());
  return all;
}

describe('Tollbook restored from an older copy of its Postgres', () => {
  it('knows what it knew then, and nothing from beyond', async () => {
    await eventually(async () => (await books()).size >= knownThen.length);
    const all = await books();
    expect(knownThen.filter((id) => !all.has(id))).toEqual([]);
    expect([...lostSettled, ...lostOpen].filter(({ id }) => all.has(id))).toEqual([]);
    await eventually(async () => (await books()).get(begun.id)?.state === 'interrupted', SETTLED_MS);
  });

  it('learns from the chain what was settled since, as its own work, and pays nobody twice', async () => {
    const all = await expectSettled([...settledThen, ...openThen]);
    for (const { id } of openThen) expect(all.get(id)!.transaction).toBe(booksLost.get(id)!.transaction);
    expect(
      await sql(
        site.main.engines.postgres,
        "select * from events where type = 'PaymentSettled' and data->>'by' <> 'settler'",
      ),
    ).toEqual([]);
  });

  it('drops the jobs of payments that it does not know', async () => {
    await eventually(async () => (await jobsOf(lostOpen)) === 0, SETTLED_MS);
    expect((await knownPayments()).filter((id) => lostOpen.some((ticket) => ticket.id === id))).toEqual([]);
  });

  it('serves and settles anew, with nonces that the chain has not seen', async () => {
    const all = await expectSettled(await buy(TICKETS));
    expect([...all.values()].filter(({ state }) => state === 'settled').map(({ transaction }) => transaction)).toEqual(
      expect.not.arrayContaining(lostFrom(all).map(({ transaction }) => transaction)),
    );
    expect(
      await sql(site.main.engines.postgres, "select * from settlement_transactions where status <> 'mined'"),
    ).toEqual([]);
  });

  it('serves nobody again for a payment that it lost and the chain has', async () => {
    // A gateway that starts when the book has gone on already knows as much.
    const later = await site.join('gateway');
    await open(later.gateway);
    for (const { gateway: at } of [gateway, later]) {
      await introduce(at);
      const outcomes = await load(at, lostSettled, LANES);
      expect(outcomes.map(({ status }) => status)).toEqual(lostSettled.map(() => 402));
    }
    expect(lostSettled.map(({ id }) => site.provider.runsOf(id))).toEqual(lostSettled.map(() => 1));
  });

  it('sells what it lost and the chain never had, for one payment', async () => {
    const outcomes = await load(gateway.gateway, lostOpen, LANES);
    expect(outcomes.map(({ status }) => status)).toEqual(lostOpen.map(() => 200));
    await expectSettled(lostOpen);
  });

  it('names what is lost: in the log by its seals, on the chain by its transfers', async () => {
    const [found] = await sql(
      site.main.engines.postgres,
      "select data from events where stream = 'log/restorations' and type = 'LogRestored'",
    );
    expect(BigInt(found!.data.lostTo)).toBeGreaterThanOrEqual(lostTo);
    expect(BigInt(found!.data.lostFrom)).toBeLessThanOrEqual(BigInt(found!.data.head) + 1n);

    const before = await verify(site.main.dataDir);
    expect(before.failed).toEqual(['seals']);
    const place = `positions ${found!.data.lostFrom} to ${found!.data.lostTo}`;
    expect(before.differences('seals')).toEqual([expect.stringContaining(place)]);
    const all = await books();
    expect(before.notes('chain')).toEqual([]);
    // What was lost and paid for is kept apart, with the transaction that brought it.
    await eventually(async () => {
      const found = await sql(
        site.main.engines.postgres,
        "select data from events where type = 'InboundTransferFound' order by data->>'transaction', data->>'logIndex'",
      );
      expect(found.map(({ data }) => data.transaction)).toEqual(
        lostFrom(all)
          .map(({ transaction }) => transaction)
          .sort(),
      );
      return true;
    });

    const accepted = await verify(site.main.dataDir, ['--accept-loss']);
    expect(accepted.failed).toEqual([]);
    expect(accepted.notes('seals')).toEqual([place]);
  });

  it('has the projections of its log, made live and anew', async () => {
    const rebuilt = await runCommand('rebuild', site.main.dataDir, ['--dry-run', '--json']);
    expect(rebuilt).toMatchObject({ code: 0, output: expect.stringContaining('"equal": true') });
  });
});
