import type { Config } from '../../base/platform/config.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Clock } from '../../base/shared/clock.js';
import { both, noScreening, type Screening } from './screening.port.js';
import { ListScreening } from './screening-list.js';
import { ServiceScreening } from './screening-service.js';

/** Settlement asks again: what it goes by is no older than this, in milliseconds. */
export const SETTLEMENT_FRESH_MS = 10_000;

/** The screening that the configuration asks for. @param freshMs how long a verdict of the service stands at most */
export function screeningOf(
  { screening }: Pick<Config, 'screening'>,
  freshMs: number,
  clock: Clock,
  log: Logger,
): Screening {
  const { list, service } = screening;
  const listed = list === undefined ? noScreening : new ListScreening(list, log);
  if (service === undefined) return listed;
  const served = new ServiceScreening({ ...service, freshMs }, clock);
  return list === undefined ? served : both(listed, served);
}
