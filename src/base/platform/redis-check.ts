import { Redis } from 'ioredis';

const CONNECT_MS = 5_000;

/** Connects once and asks. Rejects with the reason, which names no password, if Redis does not answer within seconds. */
export async function assertRedisAnswers(url: string): Promise<void> {
  const options = { lazyConnect: true, connectTimeout: CONNECT_MS, commandTimeout: CONNECT_MS };
  const redis = new Redis(url, { ...options, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let reason: Error | undefined;
  // The call itself only says that the connection is closed.
  redis.on('error', (error: Error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}
