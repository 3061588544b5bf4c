import type { CardCredentials, CardProcessor, CardProcessors, CardWebhook } from './card-processor.js';
import { StripeHttp } from './stripe-http.js';
import { StripeProcessor } from './stripe-processor.js';
import { StripeWebhook } from './stripe-webhook.js';

const TIMEOUT_MS = 20_000;

/** The API of the service itself. */
export const STRIPE_API = 'https://api.stripe.com';

/** Tenants' accounts at Stripe, over connections that they share. */
export class StripeProcessors implements CardProcessors {
  /** Two, so that a connection to a private address is never used by who may not. */
  private readonly open = new StripeHttp(true);
  private readonly public = new StripeHttp(false);

  /** @param timeoutMs for the whole of each request */
  constructor(private readonly timeoutMs = TIMEOUT_MS) {}

  processorOf(credentials: CardCredentials): CardProcessor {
    return new StripeProcessor(credentials, credentials.allowPrivate ? this.open : this.public, this.timeoutMs);
  }

  webhookOf({ webhookSecret }: CardCredentials): CardWebhook {
    return new StripeWebhook(webhookSecret);
  }

  /** Ends every request under way: what they came to is asked later. */
  async stop(): Promise<void> {
    await Promise.all([this.open.stop(), this.public.stop()]);
  }
}
