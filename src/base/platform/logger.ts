import { type Logger as Pino, pino } from 'pino';

/** Structured logs on standard output. Payment headers, keys, queries and bodies are never given to it. */
export type Logger = Pick<Pino, 'debug' | 'info' | 'warn' | 'error'>;

export function createLogger(level: string, role: string): Logger {
  return pino({ level, base: { role }, timestamp: pino.stdTimeFunctions.isoTime });
}
