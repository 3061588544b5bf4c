import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEndpoints, removeEndpoints, writeEndpoints } from './endpoints.js';

describe('endpoints.json', () => {
  it('is there while Tollbook runs, for its owner only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tollbook-endpoints-'));
    const endpoints = { gateway: 'g', control: 'c', postgres: 'p', redis: 'r', chain: 'h', chains: [], adminKey: 'k' };
    expect(await readEndpoints(folder)).toBeUndefined();
    await writeEndpoints(folder, endpoints);
    expect(await readEndpoints(folder)).toEqual(endpoints);
    expect((await stat(join(folder, 'endpoints.json'))).mode & 0o777).toBe(0o600);
    await removeEndpoints(folder);
    expect(await readEndpoints(folder)).toBeUndefined();
    await rm(folder, { recursive: true });
  });
});
