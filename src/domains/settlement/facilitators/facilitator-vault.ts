import { createHmac } from 'node:crypto';
import type { Pool } from 'pg';
import { openAnswer, sealAnswer } from '../../payments/answers.js';

/** What each facilitator is shown, by its URL. */
export type Authorizations = ReadonlyMap<string, string>;

/** Keeps what facilitators are shown: encrypted in the row of their tenant, bound to it, and known to no event. */
export class FacilitatorVault {
  /** @param key 32 bytes or more */
  constructor(private readonly key: Buffer) {}

  /** `undefined` for none. */
  seal(tenant: string, authorizations: Authorizations): Buffer | undefined {
    if (authorizations.size === 0) return undefined;
    const body = Buffer.from(JSON.stringify([...authorizations]));
    return sealAnswer(this.key, nameOf(tenant), { status: 200, headers: [], body });
  }

  /** None if they were sealed with another key. */
  open(tenant: string, sealed: Buffer | null): Authorizations {
    const opened = sealed === null ? undefined : openAnswer(this.key, nameOf(tenant), sealed);
    return new Map(opened && (JSON.parse(opened.body.toString()) as [string, string][]));
  }

  /** Base64url HMAC-SHA256: nobody without the key can try what it stands for. */
  digestOf(tenant: string, authorization: string): string {
    return createHmac('sha256', this.key)
      .update(`${nameOf(tenant)}\n${authorization}`)
      .digest('base64url');
  }

  async read(pool: Pool, tenant: string): Promise<Authorizations> {
    const text = 'select secrets from tenant_facilitators where tenant = $1';
    const { rows } = await pool.query<{ secrets: Buffer | null }>(text, [tenant]);
    return this.open(tenant, rows[0]?.secrets ?? null);
  }
}

function nameOf(tenant: string): string {
  return `facilitators/${tenant}`;
}
