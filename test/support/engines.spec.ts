import pg from 'pg';
import { engines, freshDatabase, freshRedis } from './engines.js';

async function query<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('engines for tests', () => {
  it('are the same for everybody who asks at once', async () => {
    const [one, other] = await Promise.all([engines(), engines()]);
    expect(one).toEqual(other);
  });

  it('give each spec a migrated database of its own', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    await query(one, "insert into gateway_leases values ('gateway', now())");
    expect(await query(other, 'select * from gateway_leases')).toEqual([]);
    expect(await query(other, 'select * from events')).toEqual([]);
  });

  it('give each spec a Redis database of its own', async () => {
    expect(await freshRedis()).not.toEqual(await freshRedis());
  });

  it('have USDC where official clients expect it', async () => {
    const { chainRpcUrl } = await engines();
    const params = ['0x036CbD53842c5426634e7929541eC2318f3dCF7e', 'latest'];
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getCode', params });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(chainRpcUrl, { method: 'POST', headers, body });
    const { result } = (await response.json()) as { result: string };
    expect(result.length).toBeGreaterThan(10_000);
  });
});
