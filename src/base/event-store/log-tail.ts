import { Client } from 'pg';
import type { Logger } from '../platform/logger.js';

const RECONNECT_MS = 500;

/**
 * Says when the log grew (Postgres notify). A hint, never the truth: listeners read the log themselves, and are
 * also woken whenever the connection was away, since a notice may have been missed.
 */
export class LogTail {
  private readonly listeners = new Set<() => void>();
  private client: Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly log: Logger,
    private readonly channel = 'tollbook_events',
  ) {}

  async start(): Promise<void> {
    const client = new Client({ connectionString: this.databaseUrl, application_name: 'tollbook-tail' });
    this.client = client;
    client.on('notification', () => this.wake());
    client.on('error', (error) => this.log.warn({ err: error.message }, 'log tail lost its connection'));
    // Of a connection that was given up already this is no news: two at once would both stay.
    client.on('end', () => {
      if (client === this.client) this.reconnect();
    });
    await client.connect();
    await client.query(`listen ${this.channel}`);
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined);
  }

  /** Calls back after the log grew. Returns the function that stops it. */
  onAppended(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private wake(): void {
    for (const listener of this.listeners) listener();
  }

  private reconnect(): void {
    if (this.stopped) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.start().catch(() => this.reconnect());
    }, RECONNECT_MS);
  }
}
