import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Driver, enginePids, killEngines, removeData, sql, withRedis } from './support.js';

let dataDir: string;
const drivers: Driver[] = [];
const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tollbook-embedded-'));
  folders.push(folder);
  return folder;
}

function drive(folder = dataDir): Driver {
  const driver = new Driver(folder);
  drivers.push(driver);
  return driver;
}

beforeAll(async () => {
  dataDir = await newFolder();
});
afterAll(async () => {
  for (const driver of drivers) await driver.kill();
  for (const folder of folders) {
    await killEngines(folder);
    await removeData(folder);
  }
});

/** One life after the other, all on the same data. */
describe('the embedded engines', () => {
  it('start on an empty folder, for this machine and its owner only', async () => {
    const driver = drive();
    const { databaseUrl, redisUrl } = await driver.ready();
    await sql(databaseUrl, "create table kept (life text); insert into kept values ('first')");
    const [settings] = await sql(
      databaseUrl,
      `select current_setting('fsync') as fsync, current_setting('listen_addresses') as host,
              current_setting('server_encoding') as encoding`,
    );
    expect(settings).toEqual({ fsync: 'on', host: '127.0.0.1', encoding: 'UTF8' });
    await withRedis(redisUrl, async (redis) => {
      await redis.set('kept', 'first');
      expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
      expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      expect(await redis.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
    });
    expect((await stat(join(dataDir, 'engines.json'))).mode & 0o777).toBe(0o600);
  });

  it('let nobody in without the password', async () => {
    const { databaseUrl, redisUrl } = await drivers[0]!.ready();
    await expect(sql(databaseUrl.replace(/:[^:@]*@/, ':wrong@'), 'select 1')).rejects.toThrow(/password/);
    const { port } = new URL(redisUrl);
    await expect(withRedis(`redis://127.0.0.1:${port}`, (redis) => redis.get('kept'))).rejects.toThrow(/NOAUTH/);
  });

  it('keep a second Tollbook off their data', async () => {
    const second = drive();
    expect(await second.exitCode()).toBe(1);
    expect(second.output).toContain(`in use by a running Tollbook (process ${drivers[0]!.pid})`);
    expect(await enginePids(dataDir)).toHaveLength(3);
  });

  it('run beside those of another folder', async () => {
    const other = drive(await newFolder());
    const [first, second] = await Promise.all([drivers[0]!.ready(), other.ready()]);
    expect(second.databaseUrl).not.toBe(first.databaseUrl);
    await expect(sql(second.databaseUrl, 'select * from kept')).rejects.toThrow(/does not exist/);
    expect(await other.interrupt()).toBe(0);
    expect(await sql(first.databaseUrl, 'select * from kept')).toEqual([{ life: 'first' }]);
  });

  it('outlive a killed Tollbook, and its successor continues at the same addresses', async () => {
    const before = await drivers[0]!.ready();
    await drivers[0]!.kill();
    const left = await enginePids(dataDir);
    expect(left).toHaveLength(3);
    const driver = drive();
    expect(await driver.ready()).toEqual(before);
    expect((await enginePids(dataDir)).filter((pid) => left.includes(pid))).toEqual([]);
    expect(await sql(before.databaseUrl, 'select * from kept')).toEqual([{ life: 'first' }]);
    expect(await withRedis(before.redisUrl, (redis) => redis.get('kept'))).toBe('first');
    drivers[0] = driver;
  });

  it('continue after everything was killed at once', async () => {
    const { databaseUrl } = await drivers[0]!.ready();
    await sql(databaseUrl, "insert into kept values ('second')");
    await Promise.all([drivers[0]!.kill(), killEngines(dataDir)]);
    const driver = drive();
    const after = await driver.ready();
    expect(await sql(after.databaseUrl, 'select * from kept')).toEqual([{ life: 'first' }, { life: 'second' }]);
    expect(await withRedis(after.redisUrl, (redis) => redis.get('kept'))).toBe('first');
    drivers[0] = driver;
  });

  it('outlast a Ctrl-C until Tollbook has drained, then stop', async () => {
    await drivers[0]!.ready();
    expect(await drivers[0]!.interrupt()).toBe(0);
    expect(drivers[0]!.output).toContain('drained');
    expect(await enginePids(dataDir)).toEqual([]);
    await expect(readFile(join(dataDir, 'lock.json'))).rejects.toThrow(/ENOENT/);
  });
});
