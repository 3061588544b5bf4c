import { readFile } from 'node:fs/promises';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { type Address, parseAddress } from '../../base/shared/hex.js';
import { type Screening, ScreeningUnavailable, type Verdict } from './screening.port.js';

const RELOAD_MS = 1_000;

/**
 * Addresses that nothing is sold to, from a file: one a line, blank lines and what follows a `#` do not count. It is read
 * again every second. While it cannot be read, or a line is no address, nobody is clear.
 */
export class ListScreening implements Screening {
  private denied: ReadonlySet<Address> | undefined;
  private text: string | undefined;
  private readonly loop: WakeLoop;

  constructor(
    private readonly file: string,
    log: Logger,
  ) {
    this.loop = new WakeLoop('screening list', () => this.read(), RELOAD_MS, log);
  }

  known(payer: Address): Verdict | undefined {
    if (this.denied === undefined) return undefined;
    return this.denied.has(payer) ? 'denied' : 'clear';
  }

  async screen(payer: Address): Promise<Verdict> {
    const verdict = this.known(payer);
    if (verdict === undefined) throw new ScreeningUnavailable('the screening list cannot be read');
    return verdict;
  }

  async start(): Promise<void> {
    await this.read();
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async read(): Promise<boolean> {
    try {
      const text = await readFile(this.file, 'utf8');
      if (text !== this.text) this.denied = parseList(text);
      this.text = text;
    } catch (error) {
      this.denied = undefined;
      this.text = undefined;
      throw error;
    }
    return false;
  }
}

/** Pure. @throws naming the line that is no address */
export function parseList(text: string): ReadonlySet<Address> {
  const found = new Set<Address>();
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.replace(/#.*/, '').trim();
    if (word === '') continue;
    const address = parseAddress(word);
    if (address === undefined) throw new Error(`screening list, line ${index + 1}: not an address of 20 bytes in hex`);
    found.add(address);
  }
  return found;
}
