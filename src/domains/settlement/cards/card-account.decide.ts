import type { Expected } from '../../../base/event-store/expected.js';
import type { Decision } from '../../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../../base/shared/json.js';
import type { CardAccount, CardAccountEvent } from './card-account.js';
import type { CardAccountBody } from './card-account.schemas.js';
import type { CardVault } from './card-vault.js';

/** Says by which account a tenant takes cards; replaces what was said before. */
export class SetCardAccount {
  constructor(
    readonly tenant: string,
    readonly body: CardAccountBody,
    readonly expected?: Expected,
  ) {}
}

export class RemoveCardAccount {
  constructor(readonly tenant: string) {}
}

/** The same again changes nothing. @param version of the stream so far */
export function decideSetAccount(
  state: CardAccount | undefined,
  { body, tenant }: SetCardAccount,
  version: number,
  vault: Pick<CardVault, 'digestOf' | 'seal'>,
): Decision {
  const { allow_private: allowPrivate, api_base: apiBase, processor } = body;
  const secrets = { secretKey: body.secret_key, webhookSecret: body.webhook_secret };
  const account: CardAccount = { processor, apiBase, allowPrivate, secretsDigest: vault.digestOf(tenant, secrets) };
  if (canonicalJson((state ?? null) as Json) === canonicalJson(account as unknown as Json)) return { events: [] };
  const event: CardAccountEvent = { type: 'CardAccountSet', schema: 1, data: account };
  const revision = version + 1;
  const row = {
    ...{ tenant, processor, api_base: apiBase, allow_private: allowPrivate },
    ...{ secrets: vault.seal(tenant, secrets), revision },
  };
  return { events: [event], attachments: [{ table: 'card_accounts', row }] };
}

export function decideRemoveAccount(state: CardAccount | undefined, { tenant }: RemoveCardAccount): Decision {
  if (state === undefined) return { events: [] };
  const event: CardAccountEvent = { type: 'CardAccountRemoved', schema: 1, data: {} };
  return { events: [event], removals: [{ table: 'card_accounts', key: { tenant } }] };
}
