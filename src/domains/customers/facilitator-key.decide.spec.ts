import {
  decideIssueFacilitatorKey,
  decideRevokeFacilitatorKey,
  FACILITATOR_KEYS_MAX,
  IssueFacilitatorKey,
  RevokeFacilitatorKey,
} from './facilitator-key.decide.js';
import { noFacilitatorKeys } from './facilitator-key.js';

const NOW = Date.parse('2026-11-25T04:00:00Z');
const made = { id: 'key_0123456789abcdef', digest: 'digest' };

describe('keys for the facilitator', () => {
  it('are stored as a digest', () => {
    const { attachments, events } = decideIssueFacilitatorKey(
      noFacilitatorKeys,
      new IssueFacilitatorKey('shop', made),
      NOW,
    );
    const issuedAt = '2026-11-25T04:00:00.000Z';
    expect(events).toEqual([
      { type: 'FacilitatorKeyIssued', schema: 1, data: { key: made.id, digest: 'digest', issuedAt } },
    ]);
    expect(attachments).toEqual([
      { table: 'facilitator_keys', row: { id: made.id, tenant: 'shop', digest: 'digest', issued_at: new Date(NOW) } },
    ]);
  });

  it('are not more than may be good at the same time', () => {
    const keys = new Set(Array.from({ length: FACILITATOR_KEYS_MAX }, (_, index) => `key_${index}`));
    expect(() => decideIssueFacilitatorKey(keys, new IssueFacilitatorKey('shop', made), NOW)).toThrow(
      expect.objectContaining({ code: 'too_many_keys' }),
    );
  });

  it('are revoked once', () => {
    const revoke = new RevokeFacilitatorKey('shop', made.id);
    expect(decideRevokeFacilitatorKey(new Set([made.id]), revoke)).toEqual({
      events: [{ type: 'FacilitatorKeyRevoked', schema: 1, data: { key: made.id } }],
      removals: [{ table: 'facilitator_keys', key: { id: made.id } }],
    });
    expect(decideRevokeFacilitatorKey(noFacilitatorKeys, revoke)).toEqual({ events: [] });
  });
});
