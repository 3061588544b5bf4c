interface Event<Type extends string, Data extends object> {
  readonly type: Type;
  readonly schema: 1;
  readonly data: Data;
}

/** A customer is to tell the processor a card; setups before this one count no more. */
export type CardSetupStarted = Event<'CardSetupStarted', { readonly setup: string; readonly processorId: string }>;

/** The processor has a card that may be charged while its owner is away. */
export type CardSetupCompleted = Event<
  'CardSetupCompleted',
  {
    readonly setup: string;
    readonly method: string;
    readonly brand: string;
    readonly last4: string;
    readonly expires: string;
  }
>;

export type CardSetupEvent = CardSetupStarted | CardSetupCompleted;

/** The newest setup of an account. */
export interface CardSetup {
  readonly started: CardSetupStarted['data'];
  readonly completed?: CardSetupCompleted['data'];
}

export function cardSetupStream(tenant: string, customer: string): string {
  return `card-setup/${tenant}/${customer}`;
}

/** Folds one stored event. */
export function evolveSetup(setup: CardSetup | undefined, event: CardSetupEvent): CardSetup {
  if (event.type === 'CardSetupStarted') return { started: event.data };
  if (setup?.started.setup !== event.data.setup) throw new Error('a card came from a setup that does not count');
  return { ...setup, completed: event.data };
}
