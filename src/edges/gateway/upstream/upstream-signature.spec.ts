import { createHmac } from 'node:crypto';
import { addStamp, type PaymentStamp, verifyStamp } from './upstream-signature.js';

const stamp: PaymentStamp = {
  payment: 'pay_0123456789abcdef0123456789abcdef',
  payer: '0x1111111111111111111111111111111111111111',
  amount: '1000',
  asset: 'eip155:84532/erc20:0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  timestamp: 1_800_000_000,
};
const NOW = 1_800_000_000_000;

function stamped(secret = 'secret', of = stamp): Record<string, string> {
  const flat: string[] = [];
  addStamp(flat, of, secret);
  const headers: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) headers[flat[at]!.toLowerCase()] = flat[at + 1]!;
  return headers;
}

describe('the stamp on forwarded requests', () => {
  it('signs the documented text', () => {
    const text = [
      'tollbook-upstream-v1',
      'pay_0123456789abcdef0123456789abcdef',
      '0x1111111111111111111111111111111111111111',
      '1000',
      'eip155:84532/erc20:0x036cbd53842c5426634e7929541ec2318f3dcf7e',
      '1800000000',
    ].join('\n');
    expect(stamped()['tollbook-signature']).toBe(createHmac('sha256', 'secret').update(text).digest('hex'));
  });

  it('is read back by the upstream', () => expect(verifyStamp(stamped(), 'secret', NOW)).toEqual(stamp));

  it.each(['payment', 'payer', 'amount', 'asset', 'timestamp', 'signature'])('needs the true %s', (field) => {
    const name = `tollbook-${field}`;
    const headers = stamped();
    const last = headers[name]!.slice(-1);
    const changed = { ...headers, [name]: headers[name]!.slice(0, -1) + (last === '1' ? '2' : '1') };
    expect(verifyStamp(changed, 'secret', NOW)).toBeUndefined();
    expect(verifyStamp({ ...headers, [name]: undefined }, 'secret', NOW)).toBeUndefined();
    expect(verifyStamp({ ...headers, [name]: '' }, 'secret', NOW)).toBeUndefined();
  });

  it('has the class that was paid for as one line more, and needs the true one', () => {
    const fast = { ...stamp, class: 'fast' };
    const headers = stamped('secret', fast);
    expect(headers['tollbook-class']).toBe('fast');
    expect(verifyStamp(headers, 'secret', NOW)).toEqual(fast);
    for (const other of ['slow', '', undefined]) {
      expect(verifyStamp({ ...headers, 'tollbook-class': other }, 'secret', NOW)).toBeUndefined();
    }
    expect(verifyStamp({ ...stamped(), 'tollbook-class': 'fast' }, 'secret', NOW)).toBeUndefined();
  });

  it('refuses another secret', () => expect(verifyStamp(stamped('other'), 'secret', NOW)).toBeUndefined());

  it('holds for five minutes on both sides', () => {
    expect(verifyStamp(stamped(), 'secret', NOW + 300_000)).toEqual(stamp);
    expect(verifyStamp(stamped(), 'secret', NOW + 300_001)).toBeUndefined();
    expect(verifyStamp(stamped(), 'secret', NOW - 300_000)).toEqual(stamp);
    expect(verifyStamp(stamped(), 'secret', NOW - 300_001)).toBeUndefined();
  });
});
