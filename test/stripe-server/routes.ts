import { type Account, thing } from './account.js';
import { updateDispute } from './disputes.js';
import type { Form } from './form.js';
import { listOf, searchIntents } from './lists.js';
import { cancelIntent, createIntent } from './payments.js';
import { createRefund } from './refunds.js';
import { createCustomer, createSetup, detachMethod } from './setups.js';
import { invalid, missing } from './stripe-error.js';

/** What a request asks, its body or query taken apart. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly form: Form;
  /** As it came. */
  readonly raw: Buffer;
}

/** Does what the request asks, at once, and gives the object for the answer. Throws `StripeError`. */
export function answer(account: Account, request: Request): object {
  const { form, method, path } = request;
  const [, , collection = '', id, action] = path.split('/');
  const book = bookOf(account, collection);
  if (!book) throw missing('URL', path);
  if (method === 'GET') {
    if (id === 'search' && collection === 'payment_intents') return searchIntents(account, form);
    return id === undefined ? listOf(path, book, form) : found(book, collection, id);
  }
  if (id !== undefined) return change(account, collection, action, found(book, collection, id) as never, form);
  return create(account, collection, request);
}

function bookOf(account: Account, collection: string): ReadonlyMap<string, object> | undefined {
  return {
    ...{ customers: account.customers, setup_intents: account.setups, payment_methods: account.methods },
    ...{ payment_intents: account.intents, charges: account.charges, balance_transactions: account.movements },
    ...{ refunds: account.refunds, disputes: account.disputes, files: account.files },
  }[collection];
}

function found(book: ReadonlyMap<string, object>, collection: string, id: string): object {
  const object = book.get(id);
  if (!object) throw missing(collection.replace(/s$/, ''), id);
  return object;
}

/** Of the version's parameters those that somebody here may send; another is refused, as there. */
const PARAMETERS: Record<string, string> = {
  customers: 'description metadata',
  setup_intents: 'allowed_payment_method_types customer metadata usage',
  payment_intents:
    'allowed_payment_method_types amount capture_method confirm currency customer description expand metadata ' +
    'off_session payment_method',
  refunds: 'amount metadata payment_intent reason',
};

function create(account: Account, collection: string, request: Request): object {
  const allowed = PARAMETERS[collection]?.split(' ');
  const strange = Object.keys(request.form).find((name) => allowed && !allowed.includes(name));
  if (strange) throw invalid(`Received unknown parameter: ${strange}`, 'parameter_unknown', strange);
  switch (collection) {
    case 'customers':
      return createCustomer(account, request.form);
    case 'setup_intents':
      return createSetup(account, request.form);
    case 'payment_intents':
      return createIntent(account, request.form);
    case 'refunds':
      return createRefund(account, request.form);
    case 'files':
      return createFile(account, request.raw);
    default:
      throw missing('URL', request.path);
  }
}

function change(account: Account, collection: string, action: string | undefined, object: never, form: Form): object {
  switch (`${collection} ${action ?? ''}`.trim()) {
    case 'payment_intents cancel':
      return cancelIntent(account, object);
    case 'payment_methods detach':
      return detachMethod(account, object);
    case 'disputes':
      return updateDispute(account, object, form);
    default:
      throw missing('URL', `/v1/${collection}`);
  }
}

/** Only what is needed of multipart bodies: their purpose, and a file's name and length. */
function createFile(account: Account, raw: Buffer): object {
  const text = raw.toString('latin1');
  const purpose = /name="purpose"\r\n\r\n([^\r]*)/.exec(text)?.[1] ?? '';
  const [, filename = '', content = ''] = /filename="([^"]*)"\r\n(?:[^\r]+\r\n)*\r\n([\s\S]*?)\r\n--/.exec(text) ?? [];
  const file = { ...thing('file', 'file'), purpose, filename, size: content.length };
  account.files.set(file.id, file);
  return file;
}
