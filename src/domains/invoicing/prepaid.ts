interface Event<Type extends string, Data extends object> {
  readonly type: Type;
  readonly schema: 1;
  readonly data: Data;
}

/**
 * Prepaid balance was put towards an invoice, whose stream has its `InvoicePaymentApplied` of this reference since the same moment. The
 * version of this event is what makes sure that a balance is used once.
 */
export type PrepaidApplied = Event<
  'PrepaidApplied',
  {
    /** Of the invoice among those of the account. */
    readonly sequence: number;
    readonly reference: string;
    /** Minor units of the invoice. */
    readonly amount: string;
  }
>;

/** It is not there any more: the money that was paid in has gone. */
export type PrepaidTakenBack = Event<'PrepaidTakenBack', { readonly sequence: number; readonly reference: string }>;

export type PrepaidEvent = PrepaidApplied | PrepaidTakenBack;

/** What the names of these streams begin with; tenant, slash and customer follow. */
export const PREPAID_STREAM = 'prepaid/';

/** What an account's prepaid balance was used for, in the order in which it was. */
export function prepaidStream(tenant: string, customer: string): string {
  return `${PREPAID_STREAM}${tenant}/${customer}`;
}

/** What stands of the applications, oldest first. */
export type Applications = readonly PrepaidApplied['data'][];

export const noApplications: Applications = [];

export function evolvePrepaid(applications: Applications, event: PrepaidEvent): Applications {
  if (event.type === 'PrepaidApplied') return [...applications, event.data];
  return applications.filter(({ reference }) => reference !== event.data.reference);
}
