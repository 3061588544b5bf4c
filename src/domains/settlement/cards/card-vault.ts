import { createHmac } from 'node:crypto';
import { openAnswer, sealAnswer } from '../../payments/answers.js';

/** What a tenant shows its processor, and by what the processor signs. */
export interface CardSecrets {
  readonly secretKey: string;
  readonly webhookSecret: string;
}

/** Keeps secrets of card processors: encrypted in the row of their tenant, bound to it, and known to no event. */
export class CardVault {
  /** @param key 32 bytes or more */
  constructor(private readonly key: Buffer) {}

  seal(tenant: string, { secretKey, webhookSecret }: CardSecrets): Buffer {
    const body = Buffer.from(JSON.stringify({ secretKey, webhookSecret }));
    return sealAnswer(this.key, nameOf(tenant), { status: 200, headers: [], body });
  }

  /** `undefined` if they were sealed with another key. */
  open(tenant: string, sealed: Buffer): CardSecrets | undefined {
    const opened = openAnswer(this.key, nameOf(tenant), sealed);
    return opened && (JSON.parse(opened.body.toString()) as CardSecrets);
  }

  /** Base64url HMAC-SHA256: nobody without the key can try what it stands for. */
  digestOf(tenant: string, { secretKey, webhookSecret }: CardSecrets): string {
    return createHmac('sha256', this.key)
      .update(JSON.stringify([nameOf(tenant), secretKey, webhookSecret]))
      .digest('base64url');
  }
}

function nameOf(tenant: string): string {
  return `card-account/${tenant}`;
}
