import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { assertCanListen, choosePorts, isFree } from './ports.js';

let server: Server;
let taken: number;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  taken = (server.address() as AddressInfo).port;
});
afterEach(() => server.close());

describe('ports of engines', () => {
  it('stay the same while nobody else has them', async () => {
    const first = await choosePorts(['postgres', 'redis'], {}, []);
    expect(await choosePorts(['postgres', 'redis'], first, [])).toEqual(first);
  });

  it('differ from each other', async () => {
    const names = Array.from({ length: 50 }, (_, number) => `engine-${number}`);
    expect(new Set(Object.values(await choosePorts(names, {}, []))).size).toBe(50);
  });

  it('change when somebody else listens there', async () => {
    const { redis } = await choosePorts(['redis'], { redis: taken }, []);
    expect(redis).not.toBe(taken);
    expect(await isFree(redis)).toBe(true);
  });

  it('leave the ports that were asked for to the servers', async () => {
    const { redis } = await choosePorts(['redis'], {}, []);
    expect((await choosePorts(['redis'], { redis }, [redis])).redis).not.toBe(redis);
  });
});

describe('a port of our own', () => {
  it('is refused before anything starts if somebody else has it, naming the variable', async () => {
    await expect(assertCanListen('PORT', taken, '127.0.0.1')).rejects.toThrow('Set PORT to another one');
  });

  it('is left as it was found', async () => {
    const { redis: free } = await choosePorts(['redis'], {}, []);
    await assertCanListen('PORT', free);
    expect(await isFree(free)).toBe(true);
  });
});
