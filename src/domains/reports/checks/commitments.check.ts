import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';
import { inSnapshot } from './snapshot.js';

interface Line {
  /** Of the commitment, or of the evidence if there is no commitment of it. */
  readonly stream: string;
  /** What the log says of the signature base, and by whose key; `null` if it knows no such commitment. */
  readonly signed: string | null;
  /** The key as it was added to the account, base64url. */
  readonly x: string | null;
  readonly base: string | null;
  readonly signature: Buffer | null;
}

const LINES = `
  with said as (
    select stream, tenant, data->>'customer' as customer, data->>'key' as key, data->>'signed' as signed
    from events where type = 'CommitmentAccepted'),
  added as (
    select distinct on (tenant, customer, key) tenant, data->>'customer' as customer, data->>'key' as key, data->'jwk'->>'x' as x
    from events where type = 'SigningKeyAdded' order by tenant, customer, key, position)
  select coalesce(said.stream, 'commitment/' || e.id) as stream, said.signed, added.x, e.base, e.signature
  from said left join added using (tenant, customer, key)
    full join commitment_evidence e on 'commitment/' || e.id = said.stream`;

/** Every commitment was signed by a key of its account, over what the log has the digest of. */
export const commitmentsCheck: Check = {
  name: 'commitments',
  run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
    inSnapshot(pool, ['commitment_evidence'], async (snapshot) => {
      const findings = new Findings(listed);
      const [{ total }] = (await snapshot.query<{ total: number }>(
        "select count(*)::int as total from events where type = 'CommitmentAccepted'",
      )) as [{ total: number }];
      let signatures = 0;
      for await (const lines of snapshot.pages<Line>(LINES)) {
        for (const line of lines) {
          const fault = faultOf(line);
          if (fault) findings.differ(fault[0], line.stream, fault[1], fault[2]);
          if (line.signed !== null) signatures++;
        }
        onProgress(signatures, total);
      }
      return findings.result({ signatures });
    }),
};

/** What is wrong with it: what, as it should be, and as it is. */
function faultOf({ base, signature, signed, x }: Line): readonly [string, string, string] | undefined {
  if (signed === null) return ['evidence of no commitment', 'none', 'one'];
  if (base === null || signature === null) return ['evidence', signed, 'none'];
  const digest = createHash('sha256').update(base).digest('base64url');
  if (digest !== signed) return ['digest of what was signed', signed, digest];
  if (x === null) return ['key of the account', 'added', 'never'];
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  if (!verify(null, Buffer.from(base), key, signature)) return ['signature', 'of the key', 'of something else'];
  return undefined;
}
