import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';
import { inSnapshot, type Snapshot } from './snapshot.js';

const RANGE = 50_000n;
/** Clocks of different machines may differ, and a process may be halted between reading its clock and writing. */
const AHEAD_MAX = '10 minutes';
const BACK_MAX = '1 hour';

/** The log has no holes: positions, and versions of each stream, are dense; a payment is one tenant's; times are sane. */
export const logCheck: Check = {
  name: 'log',
  run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
    inSnapshot(pool, [], async (snapshot) => {
      const findings = new Findings(listed);
      for (let from = 1n; from <= snapshot.head; from += RANGE) {
        await checkRange(snapshot, from, least(from + RANGE - 1n, snapshot.head), findings);
        onProgress(Number(from), Number(snapshot.head) * 2);
      }
      const streams = await checkStreams(snapshot, findings);
      const [row] = await snapshot.query<{ events: string }>('select count(*) as events from events');
      return findings.result({ events: Number(row!.events), streams });
    }),
};

async function checkRange(snapshot: Snapshot, from: bigint, to: bigint, findings: Findings): Promise<void> {
  const missing = await snapshot.query<{ position: string }>(
    `select p::text as position from generate_series($1::bigint, $2::bigint) as p
     left join events on events.position = p and events.position between $1 and $2
     where events.position is null order by p`,
    [from, to],
  );
  for (const { position } of missing) findings.differ('missing event', `position ${position}`, 'an event', 'none');
  const odd = await snapshot.query<{ position: string; at: Date; before: Date | null }>(
    `select position::text, occurred_at as at, before from (
       select position, occurred_at, lag(occurred_at) over (order by position) as before
       from events where position between $1::bigint - 1 and $2) as e
     where position >= $1 and (occurred_at > clock_timestamp() + $3::interval or occurred_at < before - $4::interval)
     order by e.position`,
    [from, to, AHEAD_MAX, BACK_MAX],
  );
  for (const { at, before, position } of odd) {
    const expected = before && at < before ? `about ${before.toISOString()} or later` : 'a time that has come';
    findings.differ('time out of order', `position ${position}`, expected, at.toISOString());
  }
}

/** Returns the number of streams. The first wrong event of each is named: one that is missing moves all behind it. */
async function checkStreams(snapshot: Snapshot, findings: Findings): Promise<number> {
  const wrong = snapshot.pages<{
    stream: string;
    position: string;
    version: number;
    nth: string;
    tenant: string;
    owner: string;
  }>(
    `select distinct on (stream) stream, position::text, version, nth, tenant, owner from (
       select stream, position, version, tenant, row_number() over w as nth, first_value(tenant) over w as owner
       from events window w as (partition by stream order by position)) as e
     where version <> nth or (tenant <> owner and stream like 'payment/%')
     order by stream, e.position`,
  );
  for await (const rows of wrong) {
    for (const { nth, owner, position, stream, tenant, version } of rows) {
      const where = `${stream}, position ${position}`;
      if (String(version) !== nth) findings.differ('version out of order', where, nth, version);
      else findings.differ('another tenant', where, owner, tenant);
    }
  }
  const [row] = await snapshot.query<{ streams: string }>(
    'select count(*) as streams from (select distinct stream from events) as s',
  );
  return Number(row!.streams);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
