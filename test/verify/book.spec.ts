import pg from 'pg';
import type { CheckResult } from '../../src/domains/reports/checks/check.js';
import type { CheckName } from '../../src/edges/cli/verify-options.js';
import { addressOf } from '../chain/support.js';
import { transfers } from '../support/usdc.js';
import { checksOf, runOn } from './checks.js';
import { ALLOWANCE, caughtUp, copyOf, dropped, newPayer, openStand, type Sold, type Stand } from './stand.js';
import { generateTraffic, type Traffic, transfer } from './traffic.js';

let stand: Stand;
let traffic: Traffic;
let settled: Sold;

beforeAll(async () => {
  stand = await openStand();
  traffic = await generateTraffic(stand, 12);
  settled = traffic.settled[5]!;
  await caughtUp(stand);
  await stand.rest();
});
afterAll(() => stand.stop());

/** Changes a copy of the book as its owner could, past every trigger, and runs one check on it. */
async function planted(name: CheckName, sql: string): Promise<CheckResult> {
  const databaseUrl = await copyOf(stand.databaseUrl);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('set session_replication_role = replica');
  await client.query(sql);
  await client.end();
  const results = await runOn(databaseUrl, checksOf(stand, [name]));
  await dropped(databaseUrl);
  return results[name]!;
}

/** `jsonb_set` on the data of one event of a payment. */
function edited({ id }: Sold, type: string, path: string, value: string): string {
  return `update events set data = jsonb_set(data, '{${path}}', '${value}')
          where stream = 'payment/${id}' and type = '${type}'`;
}

const found = (what: string, where: string | RegExp, differs: object = {}) =>
  expect.arrayContaining([expect.objectContaining({ what, where: expect.stringMatching(where), ...differs })]);

describe('a book of generated traffic', () => {
  it('holds what it was meant to hold', async () => {
    const client = new pg.Client({ connectionString: stand.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ type: string }>('select distinct type from events');
    await client.end();
    expect(rows.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['SettlementReverted', 'PaymentRefunded', 'DeliveryRestarted', 'NetworkFeeReversed']),
    );
  });

  it('is in order by every check, and equal to the chain to the unit', async () => {
    const results = await runOn(stand.databaseUrl, checksOf(stand));
    for (const { differences, gaps, notes } of Object.values(results)) {
      expect([...differences, ...gaps, ...notes]).toEqual([]);
    }
    const moved = await transfers(stand.chain.rpcUrl, { to: addressOf(stand.payee) });
    expect(results.chain!.counts).toMatchObject({ 'transfers matched': moved.length + 1, wallets: 1 });
    expect(results.receipts!.counts).toMatchObject({ settled: traffic.settled.length });
    expect(results.seals!.counts['not sealed yet']).toBe(0);
  });
});

describe('each check names what was planted', () => {
  it('log: a deleted event, by its position', async () => {
    const sql = `delete from events where stream = 'payment/${settled.id}' and version = 2`;
    const { differences } = await planted('log', sql);
    expect(differences).toEqual(found('missing event', /^position \d+$/));
    expect(differences).toEqual(found('version out of order', new RegExp(settled.id), { expected: '2', found: '3' }));
  });

  it('log: an event of another tenant, and one from the future', async () => {
    const sql = `update events set tenant = 'other', occurred_at = now() + interval '1 day'
      where stream = 'payment/${settled.id}' and version = 2`;
    const { differences } = await planted('log', sql);
    expect(differences).toEqual(found('time out of order', /^position \d+$/));
    expect(differences).toEqual(found('another tenant', new RegExp(settled.id), { found: 'other' }));
  });

  it('shapes: a field that does not belong', async () => {
    const { differences } = await planted('shapes', edited(settled, 'PaymentSettled', 'logIndex', '"one"'));
    expect(differences).toEqual(found('not its shape', /^position \d+$/, { expected: 'PaymentSettled version 1' }));
  });

  it('seals: an edited event', async () => {
    const { differences } = await planted('seals', edited(settled, 'PaymentAuthorized', 'units', '"2"'));
    expect(differences).toEqual(found('event-edited', /position \d+/));
  });

  it('ledger: a total that no transfer moved', async () => {
    const sql = `update ledger_accounts set debits_posted = debits_posted + 1 where kind = 'wallet'`;
    const { differences } = await planted('ledger', sql);
    expect(differences).toEqual(found('book out of balance', /^demo eip155/, { found: 'posted 1, pending 0' }));
    expect(differences).toEqual(found('account total', /wallet/));
    expect(differences).toEqual(found('balance', new RegExp(`wallet ${addressOf(stand.payee)}`)));
  });

  it('ledger: an amount changed everywhere alike, since the events say otherwise', async () => {
    const sql = `
      update ledger_transfers set amount = amount + 5 where code = 'refund';
      update ledger_accounts set credits_posted = credits_posted + 5 where kind = 'wallet';
      update ledger_accounts set debits_posted = debits_posted + 5 where kind = 'refunds';
      update ledger_activity a set debits_posted = a.debits_posted + 5 from ledger_accounts r where r.id = a.account and r.kind = 'refunds';
      update ledger_activity a set credits_posted = a.credits_posted + 5 from ledger_accounts w, ledger_transfers t
        where t.code = 'refund' and w.id = t.credit and w.id = a.account and a.block = t.id >> 20 and a.day = (t.occurred_at at time zone 'UTC')::date`;
    const { differences } = await planted('ledger', sql);
    expect(differences.map(({ what }) => what)).toEqual(['balance', 'balance']);
    expect(differences).toEqual(found('balance', /refunds/, { expected: '300', found: '305' }));
  });

  it('ledger: activity, a resolution and an origin that are not there', async () => {
    const sql = `
      delete from ledger_activity where account = 1;
      update ledger_transfers set resolves = (select min(id) from ledger_transfers where phase = 'posted')
        where id = (select min(id) from ledger_transfers where phase = 'post');
      insert into ledger_transfers select 16 * 1000000, book, debit, credit, amount, 'posted', null, code, occurred_at
        from ledger_transfers limit 1`;
    const { differences } = await planted('ledger', sql);
    expect(differences).toEqual(found('activity', /^ledger_activity 1 /));
    expect(differences).toEqual(found('resolution', /^ledger_transfers \d+$/));
    expect(differences).toEqual(found('origin', /^ledger_transfers 16000000$/));
  });

  it('holds: a total that differs, one too few, one too many', async () => {
    const sql = `
      update hold_totals set held = held + 3 where key = (select min(key) from hold_totals);
      insert into hold_totals values ('exposure/demo/eip155:84532/0x00/0x01', 9)`;
    const { differences } = await planted('holds', sql);
    expect(differences).toHaveLength(2);
    expect(differences).toEqual(found('hold', /0x00\/0x01$/, { expected: '0', found: '9' }));
    const lost = await planted('holds', 'delete from hold_totals where held > 0');
    expect(lost.differences).toEqual(found('hold', /exposure\/demo/, { expected: '640', found: '0' }));
  });

  it('holds: a quota that differs, in a calendar window and in a slot of a rolling one, or whose row is lost', async () => {
    const sql = `
      update hold_totals set held = held + 2 where key like 'quota/demo/daily/%';
      update hold_totals set slots = (select jsonb_object_agg(slot, (amount::int + 1)::text) from jsonb_each_text(slots) as s (slot, amount))
        where key like 'quota/demo/rolled/%'`;
    const { differences } = await planted('holds', sql);
    expect(differences).toEqual(found('hold', /^hold_totals quota\/demo\/daily\/day\/\*\/\d+$/));
    expect(differences).toEqual(found('hold', /^hold_totals quota\/demo\/rolled\/86400s\/\*@\d+$/));
    const lost = await planted('holds', "delete from hold_totals where key like 'quota/demo/daily/%'");
    expect(lost.differences).toEqual([
      expect.objectContaining({ where: expect.stringContaining('/daily/'), found: '0' }),
    ]);
  });

  it('holds: an allowance that differs, or whose row is lost', async () => {
    const more = await planted('holds', "update hold_totals set held = held + 1 where key like 'free/%'");
    expect(more.differences).toEqual(found('hold', `hold_totals ${ALLOWANCE}`, { expected: '4', found: '5' }));
    const lost = await planted('holds', "delete from hold_totals where key like 'free/%'");
    expect(lost.differences).toEqual(found('hold', `hold_totals ${ALLOWANCE}`, { expected: '4', found: '0' }));
  });

  it('projections: a row of a list that no event gives', async () => {
    const { differences } = await planted('projections', 'update usage_days set units = units + 1 where requests > 0');
    expect(differences).toEqual(found('row', /^usage_days$/));
  });

  it('projections: a projection that stopped', async () => {
    const sql = `update projection_checkpoints set stopped_at = 9, stopped_error = 'it does not fit' where name = 'usage'`;
    expect((await planted('projections', sql)).differences).toEqual(
      found('stopped projection', /^usage at position 9$/),
    );
  });

  it('projections: a checkpoint beyond the log, behind which events would be left out', async () => {
    const sql = `update projection_checkpoints set position = position + 9 where name = 'payments'`;
    expect((await planted('projections', sql)).differences).toEqual(
      found('checkpoint', /^payments$/, { found: '9 events beyond it' }),
    );
  });

  it('seals: a witness that is not there', async () => {
    const witnessPath = `${stand.witnessPath}.elsewhere`;
    const { seals } = await runOn(stand.databaseUrl, checksOf({ ...stand, witnessPath }, ['seals']));
    expect(seals!.differences).toEqual([]);
    expect(seals!.gaps).toEqual([expect.stringContaining(witnessPath)]);
  });

  it('receipts: rows that say something else', async () => {
    const sql = `
      update payments set amount = amount + 1, transaction = '0x00' where id = '${settled.id}';
      delete from payments where id = '${traffic.refunded.id}';
      update payments set id = 'pay_none' where id = '${traffic.settled[7]!.id}'`;
    const { differences } = await planted('receipts', sql);
    expect(differences).toEqual(found('payment amount', new RegExp(settled.id), { expected: settled.terms.amount }));
    expect(differences).toEqual(found('payment transaction', new RegExp(settled.id), { found: '0x00' }));
    expect(differences).toEqual(found('missing payment', new RegExp(traffic.refunded.id)));
    expect(differences).toEqual(found('payment without events', /pay_none/));
  });

  it('receipts: events that do not follow from each other', async () => {
    const sql = `update events set type = 'DeliveryRestarted' where stream = 'payment/${settled.id}' and version = 2`;
    expect((await planted('receipts', sql)).differences).toEqual(found('no receipt', new RegExp(settled.id)));
  });

  it('chain: another amount, another payer, a transfer that is not there', async () => {
    const sql = [
      edited(settled, 'PaymentAuthorized', 'terms,amount', '"999999"'),
      edited(traffic.settled[7]!, 'PaymentSettled', 'transaction', `"0x${'00'.repeat(32)}"`),
    ].join(';');
    const { counts, differences } = await planted('chain', sql);
    expect(differences).toEqual(found('transfer', new RegExp(settled.id)));
    expect(differences).toEqual(found('payment', new RegExp(traffic.settled[7]!.id), { found: 'none' }));
    expect(counts['transfers matched']).toBe(traffic.settled.length);
  });

  it('chain: two payments that name one transfer', async () => {
    const sql = `update events e set data = o.data from events o
      where o.stream = 'payment/${settled.id}' and o.type = 'PaymentSettled'
        and e.stream = 'payment/${traffic.settled[7]!.id}' and e.type = 'PaymentSettled'`;
    expect((await planted('chain', sql)).differences).toEqual(
      found('payment', /pay_/, { found: 'a transfer that another one names' }),
    );
  });

  it('chain: a wallet whose ledger is one unit off', async () => {
    const sql = `update ledger_accounts set debits_posted = debits_posted + 1 where kind = 'wallet'`;
    const { differences } = await planted('chain', sql);
    expect(differences).toEqual([expect.objectContaining({ what: 'wallet balance' })]);
  });

  it('gas: a share that is one wei off', async () => {
    const sql = `update events set data = jsonb_set(data, '{share}', to_jsonb(((data->>'share')::numeric + 1)::text))
      where position = (select max(position) from events where type = 'NetworkFeePaid')`;
    expect((await planted('gas', sql)).differences).toEqual(found('network fee', /^0x.*\(mined\)$/));
  });

  it('chain: money that nobody booked is noted, and is no mistake of the books', async () => {
    const stranger = await newPayer(stand, 5_000n);
    await transfer(stand, addressOf(stand.payee), 1_234n, stranger);
    await transfer(stand, addressOf(stranger), 77n);
    const { chain } = await runOn(stand.databaseUrl, checksOf(stand, ['chain']));
    expect(chain).toMatchObject({ differences: [], gaps: [], counts: { 'unbooked receipts': 1, withdrawals: 1 } });
    expect(chain!.notes).toEqual([
      expect.objectContaining({ what: 'unbooked receipt', found: `1234 from ${addressOf(stranger)}` }),
      expect.objectContaining({ what: 'withdrawal' }),
    ]);
  });
});
