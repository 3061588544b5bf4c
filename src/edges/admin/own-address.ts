import { isLoopback } from '../../base/platform/address-guard.js';
import type { Config } from '../../base/platform/config.js';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * Pure. Does this URL lead to the gateway of this installation? By its public address, however that is spelt and by either scheme; or on
 * this machine, at the port of the public address or of the gateway itself. Names are not looked up.
 */
export function isOwnAddress(text: string, { port, publicUrl }: Pick<Config, 'port' | 'publicUrl'>): boolean {
  const url = placeOf(text);
  const own = placeOf(publicUrl);
  if (!isLoopback(url.host)) return url.host === own.host && (url.port === own.port || (url.isUsual && own.isUsual));
  return url.port === String(port) || (isLoopback(own.host) && url.port === own.port);
}

/** `URL` has lower-cased the name and written the address in one way already. */
function placeOf(text: string) {
  const { hostname, port, protocol } = new URL(text);
  return { host: hostname.replace(/\.$/, ''), port: port || DEFAULT_PORTS[protocol], isUsual: port === '' };
}
