import { readPaidByOthers } from '../../src/domains/settlement/settlement.recovery.js';
import { type Desk, openDesk } from './support.js';

const NETWORK = 'eip155:84532';
let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

describe('settlements by others', () => {
  it('are all looked at after a reorganization, however many an outside facilitator has made', async () => {
    await desk.pool.query(
      `insert into payments (state, gateway, transaction, settled_at, refunded, updated_at, id, tenant, route, method, mode, payer,
         payee, network, asset, amount, valid_before, position, authorized_at)
       select 'settled', 'g', '0x' || n, now(), 0, now(), 'pay_' || n, 'demo', 'r', 'GET', 'async', 'a', 'b', $1, 'c', 1, 1, n, now()
       from generate_series(1, 1000) as n`,
      [NETWORK],
    );
    expect(await readPaidByOthers(desk.pool, NETWORK)()).toHaveLength(1_000);
  });
});
