import { readFileSync } from 'node:fs';
import { enginePids as allPids } from '../embedded/support.js';

/** Process ids of one kind of engine on a data folder; of Postgres the one that the others are children of. */
export async function enginePids(dataDir: string, program: 'postgres' | 'redis-server' | 'anvil'): Promise<number[]> {
  const pids = await allPids(dataDir);
  return pids.filter((pid) => programOf(pid) === program);
}

function programOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.split('/').at(-1);
  } catch {
    return undefined;
  }
}
