import { Redis } from 'ioredis';

export interface RedisLink {
  readonly client: Redis;
  /** Passes on the first error of each outage: while Redis is away, every attempt to connect makes one. */
  firstOf(report: (error: Error) => void): (error: Error) => void;
  /** Ends the client and its duplicates; those that are trying to reconnect do so at their next attempt. */
  end(): void;
}

/**
 * A client that reconnects until it is ended. `maxRetriesPerRequest: null` is what BullMQ asks of a worker's client;
 * whoever cannot wait for Redis sets a time limit of its own.
 */
export function redisLink(url: string, options: { readonly enableOfflineQueue: boolean }): RedisLink {
  let ended = false;
  const retryStrategy = (times: number) => (ended ? null : Math.min(times * 100, 2_000));
  const client = new Redis(url, { ...options, maxRetriesPerRequest: null, retryStrategy });
  // Users report errors in their own way; without a listener of ours they would be printed as well.
  client.on('error', () => undefined);
  const end = () => {
    ended = true;
    client.disconnect();
  };
  const firstOf = (report: (error: Error) => void) => {
    let told = false;
    client.on('ready', () => {
      told = false;
    });
    return (error: Error) => {
      if (!told) report(error);
      told = true;
    };
  };
  return { client, firstOf, end };
}
