import type { Pool } from 'pg';
import type { CardCredentials, CardProcessor, CardProcessors, CardWebhook } from './card-processor.js';
import type { CardVault } from './card-vault.js';

interface Row {
  readonly api_base: string;
  readonly allow_private: boolean;
  readonly secrets: Buffer;
}

/** By which account each tenant takes cards, as it stands at each call. */
export class CardAccounts {
  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly vault: CardVault,
    private readonly processors: CardProcessors,
  ) {}

  /** `undefined` if the tenant takes no cards. */
  async processorOf(tenant: string): Promise<CardProcessor | undefined> {
    const credentials = await this.credentialsOf(tenant);
    return credentials && this.processors.processorOf(credentials);
  }

  async webhookOf(tenant: string): Promise<CardWebhook | undefined> {
    const credentials = await this.credentialsOf(tenant);
    return credentials && this.processors.webhookOf(credentials);
  }

  private async credentialsOf(tenant: string): Promise<CardCredentials | undefined> {
    const text = 'select api_base, allow_private, secrets from card_accounts where tenant = $1';
    const [row] = (await this.pool.query<Row>(text, [tenant])).rows;
    const secrets = row && this.vault.open(tenant, row.secrets);
    return secrets && { ...secrets, apiBase: row.api_base, allowPrivate: row.allow_private };
  }
}
