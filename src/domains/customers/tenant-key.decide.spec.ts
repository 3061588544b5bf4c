import {
  decideIssueTenantKey,
  decideRevokeTenantKey,
  IssueTenantKey,
  RevokeTenantKey,
  TENANT_KEYS_MAX,
} from './tenant-key.decide.js';
import { noTenantKeys } from './tenant-key.js';

const NOW = Date.parse('2026-11-25T04:00:00Z');
const made = { id: 'key_0123456789abcdef', digest: 'digest' };

describe.each([
  ['facilitator', 'FacilitatorKey', 'facilitator_keys'],
  ['ingestion', 'IngestionKey', 'ingestion_keys'],
] as const)('keys of kind %s', (kind, event, table) => {
  it('are stored as a digest', () => {
    const { attachments, events } = decideIssueTenantKey(noTenantKeys, new IssueTenantKey(kind, 'shop', made), NOW);
    const issuedAt = '2026-11-25T04:00:00.000Z';
    expect(events).toEqual([{ type: `${event}Issued`, schema: 1, data: { key: made.id, digest: 'digest', issuedAt } }]);
    expect(attachments).toEqual([
      { table, row: { id: made.id, tenant: 'shop', digest: 'digest', issued_at: new Date(NOW) } },
    ]);
  });

  it('are not more than may be good at the same time', () => {
    const keys = new Set(Array.from({ length: TENANT_KEYS_MAX }, (_, index) => `key_${index}`));
    expect(() => decideIssueTenantKey(keys, new IssueTenantKey(kind, 'shop', made), NOW)).toThrow(
      expect.objectContaining({ code: 'too_many_keys' }),
    );
  });

  it('are revoked once', () => {
    const revoke = new RevokeTenantKey(kind, 'shop', made.id);
    expect(decideRevokeTenantKey(new Set([made.id]), revoke)).toEqual({
      events: [{ type: `${event}Revoked`, schema: 1, data: { key: made.id } }],
      removals: [{ table, key: { id: made.id } }],
    });
    expect(decideRevokeTenantKey(noTenantKeys, revoke)).toEqual({ events: [] });
  });
});
