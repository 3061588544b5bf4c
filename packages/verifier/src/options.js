import { parseArgs } from 'node:util';

/** A command line that cannot be followed; its message is for the person who typed it. */
export class UsageError extends Error {}

export const USAGE = `Checks Tollbook receipts, proofs and seals, without a server and without trusting one.

  tollbook-verify receipt.json --keys jwks.json     a receipt as GET /receipts/{id} gives it
  tollbook-verify --online https://…/receipts/pay_… the same, fetched with the keys of that server
  tollbook-verify --seals seals.jsonl --keys …      that the seals of a log form one chain
  tollbook-verify --event event.json --keys …       that an event is in the log
  tollbook-verify --consistency proof.json --keys … that an earlier seal is in the history of a later one

  --keys FILE   the issuer's keys: its /.well-known/jwks.json, saved earlier
  --key ID      accept only this key, by id or thumbprint (RFC 7638); may be repeated
  --json        one JSON document instead of lines

Exit code: 0 everything holds, 1 something does not, 2 there was nothing to check.`;

/**
 * @typedef {object} Options
 * @property {string} [receipt] file, or a URL if `online`
 * @property {string} [keys]
 * @property {string[]} pins
 * @property {string} [seals]
 * @property {string} [event]
 * @property {string} [consistency]
 * @property {boolean} online
 * @property {boolean} json
 * @property {boolean} help
 */

/**
 * @param {readonly string[]} args
 * @returns {Options}
 * @throws {UsageError}
 */
export function parseOptions(args) {
  const { values, positionals } = parsed(args);
  const { help = false, online = false, json = false, key: pins = [], keys, seals, event, consistency } = values;
  const options = { receipt: positionals[0], keys, pins, seals, event, consistency, online, json, help };
  if (!help) checkOptions(options, positionals.length);
  return options;
}

/** @param {readonly string[]} args */
function parsed(args) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        keys: { type: 'string' },
        key: { type: 'string', multiple: true },
        seals: { type: 'string' },
        event: { type: 'string' },
        consistency: { type: 'string' },
        online: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
}

/**
 * @param {Options} options
 * @param {number} receipts
 */
function checkOptions({ receipt, keys, seals, event, consistency, online }, receipts) {
  if (receipts > 1) throw new UsageError('One receipt at a time.');
  if ([receipt, seals, event, consistency].every((one) => one === undefined))
    throw new UsageError('What shall be checked?');
  const isUrl = receipt !== undefined && /^https?:\/\//i.test(receipt);
  if (isUrl && !online) throw new UsageError('This is an address: say --online to fetch the receipt from there.');
  if (online && !isUrl) throw new UsageError('--online wants the address of a receipt.');
  if (keys !== undefined || online) return;
  throw new UsageError(
    "Say --keys FILE: the issuer's /.well-known/jwks.json, which you saved when you came to trust it.",
  );
}
