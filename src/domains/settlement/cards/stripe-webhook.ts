import type { CardHint, CardWebhook } from './card-processor.js';

/** Reads the webhooks of one endpoint of an account. */
export class StripeWebhook implements CardWebhook {
  constructor(private readonly secret: string) {}

  async read(rawBody: Buffer, signatureHeader: string | undefined, at: Date): Promise<CardHint | 'bad_signature'> {
    // The package takes its time to load: only who has webhooks waits for it.
    const { default: Package } = await import('stripe');
    const { constructEvent } = Package.webhooks;
    const check = constructEvent.bind(Package.webhooks, rawBody, signatureHeader ?? '', this.secret);
    try {
      return hintOf(check(undefined, undefined, at.getTime()));
    } catch (error) {
      if (error instanceof Package.errors.StripeSignatureVerificationError) return 'bad_signature';
      // Signed, and yet nothing that can be read.
      return {};
    }
  }
}

/** Pure. Our ids are in the metadata of what we asked for; of anything else only the processor's ids are known. */
export function hintOf({ data }: { readonly data?: { readonly object?: object } }): CardHint {
  const { id, metadata, object, payment_intent } = (data?.object ?? {}) as Partial<Record<string, unknown>>;
  const charge = (metadata as Partial<Record<string, unknown>> | undefined)?.tollbook_charge;
  const processorId = object === 'payment_intent' ? id : payment_intent;
  return {
    ...(typeof charge === 'string' ? { charge } : {}),
    ...(typeof processorId === 'string' ? { processorId } : {}),
    ...(object === 'setup_intent' && typeof id === 'string' ? { setup: id } : {}),
  };
}
