import pg from 'pg';
import {
  AddSigningKey,
  AttachWallet,
  DetachWallet,
  OpenAccount,
  ResumeAccount,
  RevokeSigningKey,
  SetCreditLine,
  SuspendAccount,
} from '../../src/domains/customers/account.decide.js';
import { RemoveAllowance, SetAllowance } from '../../src/domains/customers/allowance.decide.js';
import { IssueKey, RevokeKey, RotateKey } from '../../src/domains/customers/customer-key.decide.js';
import { AssignTariff, RemoveTariff } from '../../src/domains/customers/customer-tariff.decide.js';
import { keyIdOf, type SigningJwk } from '../../src/domains/customers/signing-key.js';
import { ChangeListMode, ListPayer, UnlistPayer } from '../../src/domains/customers/standing.decide.js';
import { IssueTenantKey, RevokeTenantKey } from '../../src/domains/customers/tenant-key.decide.js';
import { PublishMeter, WithdrawMeter } from '../../src/domains/metering/meter.decide.js';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { catalogueCheck } from '../../src/domains/reports/checks/catalogue.check.js';
import { freshDatabase } from '../support/engines.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { runOn } from './checks.js';

const STRANGER = `0x${'bad0'.repeat(10)}`;
const [BAD, FORGIVEN] = [`0x${'b1'.repeat(20)}`, `0x${'f0'.repeat(20)}`] as const;
const CALLS = { aggregation: 'count', eventType: 'call', unit: 'call', late: { kind: 'own_period' } } as const;
const ours = tenantWith({ id: 'ours', host: 'ours.test', upstream: 'http://ours.test' });

const CUSTOMER = 'cus_0123456789abcdef01234567';
const [kept, gone] = [1, 2].map((n) => signingKey(n)) as [SigningJwk, SigningJwk];
const accountCommands = [
  new OpenAccount('ours', CUSTOMER, {
    currency: 'USD',
    network: ours.network,
    asset: ours.asset,
    decimals: 6,
    creditLine: '5',
    period: 'month',
    timeZone: 'UTC',
    wayToPay: 'x402',
  }),
  new SetCreditLine('ours', CUSTOMER, '7'),
  new AddSigningKey('ours', CUSTOMER, kept, 'provider'),
  new AddSigningKey('ours', CUSTOMER, gone, 'provider'),
  new RevokeSigningKey('ours', CUSTOMER, keyIdOf(gone)),
  new AttachWallet('ours', CUSTOMER, BAD),
  new AttachWallet('ours', CUSTOMER, FORGIVEN),
  new DetachWallet('ours', CUSTOMER, FORGIVEN),
  new SuspendAccount('ours', CUSTOMER, 'overdue'),
  new ResumeAccount('ours', CUSTOMER),
];

function signingKey(n: number): SigningJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.alloc(32, n + 2).toString('base64url') };
}

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  await publish(databaseUrl, [
    new RegisterTenant({ ...ours, host: 'older.test' }),
    new RegisterTenant(ours),
    new PublishTariff('ours', 'flat', flat('1000')),
    new PublishTariff('ours', 'flat', { charges: [{ model: 'flat', amount: '2000' }], minimum: '5' }),
    new PublishRoute(routeWith({ id: 'news', tenant: 'ours' })),
    new PublishRoute(routeWith({ id: 'news', tenant: 'ours', timeoutMs: 5_000 })),
    new ListPayer('ours', BAD, 'deny', 'fraud'),
    new ListPayer('ours', FORGIVEN, 'deny', 'unpaid'),
    new UnlistPayer('ours', FORGIVEN),
    new ChangeListMode('ours', 'allow_listed'),
    new SetAllowance('ours', BAD, { counts: 'requests', limit: '5', period: 'day' }),
    new SetAllowance('ours', undefined, { counts: 'units', limit: '7', period: 'month' }),
    new SetAllowance('ours', FORGIVEN, { counts: 'units', limit: '7', period: 'month' }),
    new RemoveAllowance('ours', FORGIVEN),
    new AssignTariff('ours', BAD, 'news', 'flat'),
    new AssignTariff('ours', FORGIVEN, 'news', 'flat'),
    new RemoveTariff('ours', FORGIVEN, 'news'),
    new IssueKey(
      'ours',
      BAD,
      { id: 'key_1', digest: 'd1' },
      { expiresAt: Date.now() + 3_600_000, routes: ['weather'] },
    ),
    new IssueKey('ours', BAD, { id: 'key_2', digest: 'd2' }),
    new RotateKey('ours', BAD, 'key_2', { id: 'key_3', digest: 'd3' }, 60_000),
    new RevokeKey('ours', BAD, 'key_1'),
    new IssueTenantKey('facilitator', 'ours', { id: 'key_4', digest: 'd4' }),
    new IssueTenantKey('facilitator', 'ours', { id: 'key_5', digest: 'd5' }),
    new RevokeTenantKey('facilitator', 'ours', 'key_4'),
    new IssueTenantKey('ingestion', 'ours', { id: 'key_6', digest: 'd6' }),
    new IssueTenantKey('ingestion', 'ours', { id: 'key_7', digest: 'd7' }),
    new RevokeTenantKey('ingestion', 'ours', 'key_6'),
    new PublishMeter('ours', 'calls', CALLS),
    new PublishMeter('ours', 'gone', CALLS),
    new WithdrawMeter('ours', 'gone'),
    ...accountCommands,
  ]);
});

async function differences() {
  return (await runOn(databaseUrl, [catalogueCheck])).catalogue!.differences;
}

async function edit(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describe('what gateways serve by', () => {
  it('is what was published last', async () => {
    const { catalogue } = await runOn(databaseUrl, [catalogueCheck]);
    expect(catalogue).toMatchObject({ differences: [], counts: { tenants: 1, routes: 1, tariffs: 2 } });
  });

  it('is named where it differs: whom to pay, for how much, by which secret, and rows too many or too few', async () => {
    await edit(`update tenants set payee = '${STRANGER}', upstream_secret = 'another secret of 32 letters or more'`);
    await edit(`update tariffs set rules = jsonb_set(rules, '{charges,0,amount}', '"1"') where version = 2`);
    await edit(`update routes set config = config || '{"mode": "after"}'`);
    await edit(
      `insert into tariffs select tenant, 'gift', version, effective_from, rules from tariffs where version = 1`,
    );
    await edit(`delete from tariffs where id = 'flat' and version = 1`);
    await edit(`update payer_standings set standing = 'allowed' where payer = '${BAD}'`);
    await edit(`delete from payer_standings where payer = '*'`);
    await edit(`update allowances set quota = 1000000 where payer = '${BAD}'`);
    await edit(`update customer_tariffs set tariff = 'gift'`);
    await edit(`update customer_keys set expires_at = null where id = 'key_2'`);
    await edit(`insert into customer_keys values ('key_9', 'ours', '${STRANGER}', 'd9', now(), null, null)`);
    await edit(`insert into facilitator_keys values ('key_4', 'ours', 'd4', now())`);
    await edit(`insert into ingestion_keys values ('key_6', 'ours', 'd6', now())`);
    await edit(`update meters set rules = jsonb_set(rules, '{unit}', '"cent"') where id = 'calls'`);
    await edit(`update meters set withdrawn = false where id = 'gone'`);
    await edit(`update facilitator_keys set digest = 'd9' where id = 'key_5'`);
    await edit(`update accounts set credit_line = 7000000`);
    await edit(
      `insert into account_keys values ('ours', '${keyIdOf(gone)}', '${CUSTOMER}', '${gone.x}', 'provider', now())`,
    );
    await edit(`delete from account_wallets where wallet = '${BAD}'`);
    const found = await differences();
    expect(found).toHaveLength(20);
    expect(found).toEqual(
      expect.arrayContaining([
        { what: 'published payee', where: 'tenants ours', expected: `"${ours.payee}"`, found: `"${STRANGER}"` },
        expect.objectContaining({ what: 'published upstreamSecretFingerprint', where: 'tenants ours' }),
        expect.objectContaining({ what: 'published rules', where: 'tariffs ours flat version 2' }),
        { what: 'published mode', where: 'routes ours news', expected: '"async"', found: '"after"' },
        { what: 'never published', where: 'tariffs ours gift version 1', expected: 'no row', found: 'one' },
        { what: 'published', where: 'tariffs ours flat version 1', expected: 'a row', found: 'none' },
        {
          ...{ what: 'published standing', where: `payer_standings ours ${BAD}` },
          ...{ expected: '"denied"', found: '"allowed"' },
        },
        { what: 'published', where: 'payer_standings ours *', expected: 'a row', found: 'none' },
        expect.objectContaining({ what: 'published limit', where: `allowances ours ${BAD}`, found: '"1000000"' }),
        expect.objectContaining({
          what: 'published tariff',
          where: `customer_tariffs ours ${BAD} news`,
          found: '"gift"',
        }),
        expect.objectContaining({ what: 'published expires', where: 'customer_keys key_2', found: 'null' }),
        { what: 'never published', where: 'customer_keys key_9', expected: 'no row', found: 'one' },
        { what: 'never published', where: 'facilitator_keys key_4', expected: 'no row', found: 'one' },
        { what: 'never published', where: 'ingestion_keys key_6', expected: 'no row', found: 'one' },
        expect.objectContaining({ what: 'published rules', where: 'meters ours calls' }),
        { what: 'published withdrawn', where: 'meters ours gone', expected: 'true', found: 'false' },
        expect.objectContaining({ what: 'published digest', where: 'facilitator_keys key_5', found: '"d9"' }),
        {
          ...{ what: 'published creditLine', where: `accounts ours ${CUSTOMER}` },
          ...{ expected: '"7"', found: '"7000000"' },
        },
        { what: 'never published', where: `account_keys ours ${keyIdOf(gone)}`, expected: 'no row', found: 'one' },
        { what: 'published', where: `account_wallets ours ${BAD}`, expected: 'a row', found: 'none' },
      ]),
    );
    expect(JSON.stringify(found)).not.toContain('secret of 32');
  });
});
