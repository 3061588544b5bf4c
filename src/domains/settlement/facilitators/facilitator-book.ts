import type { Pool } from 'pg';
import type { Logger } from '../../../base/platform/logger.js';
import { WakeLoop } from '../../../base/platform/wake-loop.js';
import type { Endpoint } from './facilitator-client.js';
import type { FacilitatorList } from './facilitator-list.js';
import type { FacilitatorVault } from './facilitator-vault.js';

/** How long a worker may not know of a change, in milliseconds. */
const REFRESH_MS = 2_000;

/** Who settles for a tenant, with what is needed to ask them. */
export interface Facilitators extends Pick<FacilitatorList, 'own'> {
  readonly facilitators: readonly Endpoint[];
}

/** Until the tenant says otherwise. */
const nobody: Facilitators = { facilitators: [], own: 'last' };

interface Row {
  readonly tenant: string;
  readonly list: FacilitatorList;
  readonly secrets: Buffer | null;
}

/** Who settles for which tenant, as of a moment ago. */
export class FacilitatorBook {
  private byTenant: ReadonlyMap<string, Facilitators> = new Map();
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly vault: FacilitatorVault,
    log: Logger,
  ) {
    this.loop = new WakeLoop('facilitators of tenants', () => this.read(), REFRESH_MS, log);
  }

  async start(): Promise<void> {
    await this.read();
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  of(tenant: string): Facilitators {
    return this.byTenant.get(tenant) ?? nobody;
  }

  private async read(): Promise<boolean> {
    const { rows } = await this.pool.query<Row>('select tenant, list, secrets from tenant_facilitators');
    this.byTenant = new Map(rows.map((row) => [row.tenant, this.opened(row)]));
    return false;
  }

  private opened({ list, secrets, tenant }: Row): Facilitators {
    const shown = this.vault.open(tenant, secrets);
    const facilitators = list.facilitators.map(({ allowPrivate, timeoutMs, url }) => {
      return { tenant, url, timeoutMs, allowPrivate, authorization: shown.get(url) };
    });
    return { facilitators, own: list.own };
  }
}
