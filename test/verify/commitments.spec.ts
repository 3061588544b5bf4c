import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { AddSigningKey, OpenAccount } from '../../src/domains/customers/account.decide.js';
import { keyIdOf, parseSigningKey, type SigningJwk } from '../../src/domains/customers/signing-key.js';
import { commitmentsCheck } from '../../src/domains/reports/checks/commitments.check.js';
import { commitmentAccepted } from '../support/commitment-events.js';
import { freshDatabase } from '../support/engines.js';
import { publish } from '../support/publishing.js';
import { runOn } from './checks.js';

const CUSTOMER = `cus_${'1'.repeat(24)}` as const;
const TERMS = { currency: 'USD', network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, decimals: 6 } as const;

let url: string;
let client: pg.Client;

beforeAll(async () => {
  url = await freshDatabase();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = parseSigningKey(publicKey.export({ format: 'jwk' })) as SigningJwk;
  const terms = { ...TERMS, creditLine: '9', period: 'month', timeZone: 'UTC', wayToPay: 'x402' } as const;
  await publish(url, [new OpenAccount('shop', CUSTOMER, terms), new AddSigningKey('shop', CUSTOMER, jwk, 'provider')]);
  const pool = openPool(url, 'test', 2, console);
  const store = new EventStore(pool, systemClock);
  for (const n of [1, 2]) {
    const id = `com_${String(n).padStart(32, '0')}`;
    const base = `"@method": GET\n"@query": "?n=${n}"`;
    const event = commitmentAccepted(CUSTOMER, 1n);
    const signed = createHash('sha256').update(base).digest('base64url');
    const data = { ...event.data, key: keyIdOf(jwk), signed };
    const row = { id, base, signature: sign(null, Buffer.from(base), privateKey) };
    const attachments = [{ table: 'commitment_evidence', row }] as const;
    const place = { stream: `commitment/${id}`, tenant: 'shop', expectedVersion: 0 };
    await store.append({ ...place, decide: () => ({ events: [{ ...event, data }], attachments }) });
  }
  await pool.end();
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterAll(() => client?.end());

const found = async () => (await runOn(url, [commitmentsCheck])).commitments!;

describe('the evidence of commitments', () => {
  it('is what each was let in by', async () => {
    expect(await found()).toMatchObject({ differences: [], counts: { signatures: 2 } });
  });

  const FIRST = `com_${'1'.padStart(32, '0')}`;
  it.each([
    [`update commitment_evidence set base = base || ' ' where id = '${FIRST}'`, 'digest of what was signed'],
    [
      `update commitment_evidence set signature = (select signature from commitment_evidence where id <> '${FIRST}') where id = '${FIRST}'`,
      'signature',
    ],
    [`delete from commitment_evidence where id = '${FIRST}'`, 'evidence'],
    [`update commitment_evidence set id = 'com_other' where id = '${FIRST}'`, 'evidence of no commitment'],
  ])('is found changed: %s', async (sql, what) => {
    await client.query('create temp table kept as table commitment_evidence');
    await client.query(sql);
    const { differences } = await found();
    await client.query('truncate commitment_evidence; insert into commitment_evidence table kept; drop table kept');
    expect(differences.map((one) => one.what)).toContain(what);
  });
});
