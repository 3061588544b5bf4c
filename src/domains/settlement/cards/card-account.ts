interface Event<Type extends string, Data extends object = Record<string, never>> {
  readonly type: Type;
  readonly schema: 1;
  readonly data: Data;
}

/** What a tenant says of its account at a card processor; its secrets are beside the log. */
export interface CardAccount {
  readonly processor: 'stripe';
  /** Origin of the API. */
  readonly apiBase: string;
  /** Whether it may be at a private address, or speak plain http. */
  readonly allowPrivate: boolean;
  /** Tells whether the secrets changed, not what they are. */
  readonly secretsDigest: string;
}

/** From here on this account takes the tenant's card payments. */
export type CardAccountSet = Event<'CardAccountSet', CardAccount>;

/** No card is charged any more; what was charged can be looked up no more either. */
export type CardAccountRemoved = Event<'CardAccountRemoved'>;

export type CardAccountEvent = CardAccountSet | CardAccountRemoved;

export function cardAccountStream(tenant: string): string {
  return `card-account/${tenant}`;
}

/** Folds one event; the last one says all. */
export function evolveCardAccount(_: CardAccount | undefined, event: CardAccountEvent): CardAccount | undefined {
  return event.type === 'CardAccountSet' ? event.data : undefined;
}
