import { parseDictionary } from 'structured-headers';

/** RFC 9218 section 4.1: what a request without a readable `Priority` asks for. */
export const DEFAULT_URGENCY = 3;
const URGENCY_MAX = 7;
const LENGTH_MAX = 256;

/**
 * Urgency of a request, 0 (most urgent) to 7, from its `Priority` field value. A value that is no structured
 * dictionary, or an urgency out of range, counts as absent, as RFC 9218 section 4 asks.
 */
export function urgencyOf(priority: string | undefined): number {
  if (priority === undefined || priority.length > LENGTH_MAX) return DEFAULT_URGENCY;
  try {
    const value = parseDictionary(priority).get('u')?.[0];
    const known = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= URGENCY_MAX;
    return known ? value : DEFAULT_URGENCY;
  } catch {
    return DEFAULT_URGENCY;
  }
}
