/** Milliseconds since the Unix epoch, UTC. Handed in, so that tests own the time. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** Whole seconds since the epoch, as tokens and authorizations count them. */
export function epochSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
