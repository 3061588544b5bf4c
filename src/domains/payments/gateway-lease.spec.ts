import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { createLogger } from '../../base/platform/logger.js';
import { GatewayLease } from './gateway-lease.js';
import { InterruptDelivery } from './payment.decide.js';
import type { PaymentId } from './payment.js';

const ID: PaymentId = 'pay_00000000000000000000000000000001';

/** A lease whose payment `ID` has been in delivery for long, and what it interrupted. */
function leaseOverOldPayment() {
  const interrupted: unknown[] = [];
  const query = (text: string) => Promise.resolve({ rows: text.startsWith('select') ? [{ id: ID }] : [] });
  const bus = { execute: async (command: unknown) => interrupted.push(command) };
  const lease = new GatewayLease(
    'gw_1',
    { query } as unknown as Pool,
    bus as unknown as CommandBus,
    createLogger('silent', 'test'),
  );
  /** One beat; nothing else was started. */
  const beat = async () => {
    await lease.start();
    await lease.stop();
    return interrupted.splice(0);
  };
  return { lease, beat };
}

describe('a payment that is old and not yet delivered', () => {
  it('is interrupted if nobody here delivers it', async () => {
    const { beat } = leaseOverOldPayment();
    expect(await beat()).toContainEqual(new InterruptDelivery(ID, 'gw_1'));
  });

  it('is left alone while it is delivered, also after others that presented it have let go', async () => {
    const { beat, lease } = leaseOverOldPayment();
    const winner = lease.hold(ID);
    const loser = lease.hold(ID);
    loser();
    loser();
    expect(await beat()).toEqual([]);
    winner();
    expect(await beat()).toContainEqual(new InterruptDelivery(ID, 'gw_1'));
  });
});
