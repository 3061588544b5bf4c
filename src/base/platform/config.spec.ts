import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import fc from 'fast-check';
import { type Config, ConfigError, loadConfig } from './config.js';
import { packageRoot } from './package-root.js';
import { isWellKnownKey } from './weak-secrets.js';

const ANVIL_FIRST = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

describe('the configuration', () => {
  it('needs nothing: everything is on this machine', () => {
    expect(loadConfig({})).toEqual({
      role: 'all',
      port: 4020,
      adminPort: 4021,
      adminHost: '127.0.0.1',
      publicUrl: 'http://localhost:4020',
      trustedProxies: [],
      chainId: 84_532,
      dataDir: join(packageRoot, '.tollbook'),
      logLevel: 'info',
      screening: { list: undefined, service: undefined, freshMs: 3_600_000 },
      embedded: { postgres: true, redis: true, chain: true },
    } satisfies Config);
  });

  it('starts no engine whose address is given', () => {
    const config = loadConfig({ DATABASE_URL: 'postgres://db/x', REDIS_URL: 'redis://cache' });
    expect(config.embedded).toEqual({ postgres: false, redis: false, chain: true });
    expect(config.databaseUrl).toBe('postgres://db/x');
  });

  it.each(['10.0.0.0/8', '10.0.0.0/8, 192.168.1.1/32,fd00::/8,::/0'])('takes %s as trusted proxies', (text) => {
    expect(loadConfig({ TRUSTED_PROXIES: text }).trustedProxies).toEqual(text.split(/, ?/));
  });

  it.each(['10.0.0.1', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/8,', 'any', '10.0.0/8', '/8'])(
    'takes %s as no trusted proxies',
    (text) => expect(() => loadConfig({ TRUSTED_PROXIES: text })).toThrow(/TRUSTED_PROXIES/),
  );

  it('takes several nodes of one chain, and no list with a hole or another protocol', () => {
    const listed = 'https://a.example.com/key, http://b.example.com';
    const [chain] = loadConfig({ CHAIN_RPC_URL: listed, CHAIN_ID: '8453' }).chains!;
    expect(chain).toMatchObject({ network: 'eip155:8453', rpcUrls: listed.split(', ') });
    for (const bad of ['https://a.example.com,', 'https://a.example.com,ws://b.example.com', ',', 'a,b']) {
      expect(() => loadConfig({ CHAIN_RPC_URL: bad })).toThrow(/CHAIN_RPC_URL should be .* several with commas/);
    }
  });

  describe('with a file of chains', () => {
    const nodes = ['https://a.example.com/key', 'https://b.example.com'];
    const chains = [
      { network: 'eip155:8453', rpcUrls: nodes },
      { network: 'eip155:84532', rpcUrls: ['https://test.example.com'] },
    ];
    let folder: string;
    let path: string;
    const load = (env = {}) => loadConfig({ TOLLBOOK_CHAINS: path, ...env });

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'tollbook-config-'));
      path = join(folder, 'chains.json');
      writeFileSync(path, JSON.stringify(chains));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('starts no chain, and has those of the file', () => {
      const config = load();
      expect(config.embedded).toEqual({ postgres: true, redis: true, chain: false });
      expect(config.chains).toEqual(chains.map((chain) => expect.objectContaining(chain)));
    });

    it('takes the variables of a single chain as long as they say the same', () => {
      expect(load({ CHAIN_ID: '8453' }).chains).toEqual(load().chains);
      expect(load({ CHAIN_ID: '8453', CHAIN_RPC_URL: nodes.join(', ') }).chains).toHaveLength(2);
      expect(load({ CHAIN_RPC_URL: 'https://test.example.com' }).chains).toHaveLength(2);
      expect(() => load({ CHAIN_ID: '1' })).toThrow(/CHAIN_ID should be left out, or of a chain in TOLLBOOK_CHAINS/);
      const other = { CHAIN_ID: '8453', CHAIN_RPC_URL: nodes[0] };
      expect(() => load(other)).toThrow(/CHAIN_RPC_URL should be left out, or the nodes of eip155:8453/);
    });

    it('refuses secrets that others know', () => {
      expect(() => load({ TOLLBOOK_SIGNER_KEY: ANVIL_FIRST })).toThrow(/TOLLBOOK_SIGNER_KEY.*well-known/);
    });

    it('names the place of what is wrong in it, and no value', () => {
      const bad = join(folder, 'bad.json');
      writeFileSync(bad, JSON.stringify([{ ...chains[0], rpcUrls: ['ws://secret'] }]));
      const loadBad = () => load({ TOLLBOOK_CHAINS: bad });
      expect(loadBad).toThrow(/TOLLBOOK_CHAINS\[0\]\.rpcUrls\[0\] should be an http:\/\/ or https:\/\/ URL/);
      expect(loadBad).not.toThrow(/secret/);
      expect(() => load({ TOLLBOOK_CHAINS: join(folder, 'none') })).toThrow(
        /TOLLBOOK_CHAINS should be the path of a file/,
      );
    });
  });

  it('takes an empty variable as unset', () => {
    expect(loadConfig({ DATABASE_URL: '', PORT: '' })).toEqual(loadConfig({}));
  });

  it('makes the data folder absolute and the public URL end without a slash', () => {
    const config = loadConfig({ TOLLBOOK_DATA_DIR: 'somewhere', PUBLIC_URL: 'https://api.example.com/' });
    expect(isAbsolute(config.dataDir)).toBe(true);
    expect(config.publicUrl).toBe('https://api.example.com');
  });

  it('names every bad variable and what it should be, but no value', () => {
    const load = () => loadConfig({ PORT: '70000', ROLE: 'boss', DATABASE_URL: 'mysql://hidden-password@db' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/PORT should be a port, 1 to 65535/);
    expect(load).toThrow(/ROLE should be all, gateway, control or worker/);
    expect(load).toThrow(/DATABASE_URL should be a postgres:\/\/ URL/);
    expect(load).not.toThrow(/hidden-password/);
  });

  it('refuses one port for two servers', () => {
    expect(() => loadConfig({ PORT: '4021' })).toThrow(/ADMIN_PORT/);
  });

  it('takes no number that is not written in plain digits', () => {
    const odd = fc.string().filter((text) => text !== '' && !/^[0-9]+$/.test(text));
    fc.assert(fc.property(odd, (text) => expect(() => loadConfig({ PORT: text })).toThrow(/PORT/)));
  });
});

describe('secrets where money is real', () => {
  const real = { CHAIN_RPC_URL: 'https://rpc.example.com' };

  it.each([ANVIL_FIRST, `0x${ANVIL_FIRST.toUpperCase()}`, `0x${'1'.padStart(64, '0')}`, 'ab'.repeat(32)])(
    'refuses the well-known key %s',
    (key) => {
      expect(() => loadConfig({ ...real, TOLLBOOK_SIGNER_KEY: key })).toThrow(/TOLLBOOK_SIGNER_KEY.*well-known/);
      expect(loadConfig({ TOLLBOOK_SIGNER_KEY: key }).port).toBe(4020);
      const listed = `${'5f3a'.repeat(15)}c0de, ${key}`;
      expect(() => loadConfig({ ...real, TOLLBOOK_SIGNER_KEY: listed })).toThrow(/TOLLBOOK_SIGNER_KEY.*well-known/);
    },
  );

  it('refuses secrets that can be guessed', () => {
    const short = { TOLLBOOK_ADMIN_KEY: 'letmein', TOLLBOOK_QUOTE_SECRET: 'secret' };
    expect(() => loadConfig({ ...real, ...short })).toThrow(/TOLLBOOK_ADMIN_KEY[\s\S]*TOLLBOOK_QUOTE_SECRET/);
    expect(loadConfig(short).role).toBe('all');
  });

  it('takes random keys', () => {
    const random = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .filter((bytes) => bytes[0]! > 0 && bytes[0] !== bytes[1] && bytes[4] !== bytes[0]);
    fc.assert(fc.property(random, (bytes) => expect(isWellKnownKey(Buffer.from(bytes).toString('hex'))).toBe(false)));
  });
});
