import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { readJson, Unreadable } from './strict-json.js';

const BYTES_MAX = 4 * 1024 * 1024;

/**
 * @param {string} path
 * @param {string} what how to call it in an error
 * @throws {Unreadable}
 */
export async function readJsonFile(path, what) {
  try {
    if ((await stat(path)).size > BYTES_MAX) throw new Unreadable(`${what} is too long to be one: ${path}`);
    return readJson(await readFile(path), what);
  } catch (error) {
    throw readable(error, path);
  }
}

/**
 * The lines of a file that may be long, without those that are empty.
 *
 * @param {string} path
 * @returns {AsyncGenerator<string>}
 * @throws {Unreadable}
 */
export async function* linesOf(path) {
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield line;
    }
  } catch (error) {
    throw readable(error, path);
  }
}

/**
 * @param {unknown} error
 * @param {string} path
 */
function readable(error, path) {
  const { code } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === 'ENOENT') return new Unreadable(`there is no file ${path}`);
  return code === undefined ? error : new Unreadable(`${path} cannot be read (${code})`);
}
