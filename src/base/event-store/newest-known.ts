import type { PoolClient } from 'pg';
import type { StoredEvent } from './event.js';

type Place = Pick<StoredEvent, 'position' | 'stream' | 'version'>;

/** The log is not the one that this process has read and written: an older copy was put in its place. */
export class LogReplaced extends Error {
  constructor() {
    super('the log was replaced by an older copy of it');
  }
}

/**
 * The newest event that this process knows. Positions are dense, so while it stands in its place, so does everything before
 * it. A standby that took over without the last events, or a restore under a running process, is found by that.
 */
export class NewestKnown {
  private newest: Place | undefined;
  /** From then on requests under way may rest on events that are gone. */
  private replaced = false;

  get trustsVersions(): boolean {
    return !this.replaced;
  }

  note(place: Place): void {
    if (this.newest === undefined || place.position > this.newest.position) this.newest = place;
  }

  /** @throws LogReplaced once */
  async mustStand(client: PoolClient): Promise<void> {
    const { newest } = this;
    if (newest === undefined) return;
    const { rowCount } = await client.query({
      name: 'newest-known',
      text: 'select 1 from events where position = $1 and stream = $2 and version = $3',
      values: [newest.position.toString(), newest.stream, newest.version],
    });
    if (rowCount === 1) return;
    this.newest = undefined;
    this.replaced = true;
    throw new LogReplaced();
  }
}
