import { isOwnAddress } from './own-address.js';

const away = { port: 4020, publicUrl: 'https://api.example.com' };
const local = { port: 4020, publicUrl: 'http://localhost:8080' };

describe('the address of this gateway', () => {
  it.each([
    ['https://api.example.com/facilitator', away],
    ['https://API.Example.com:443/', away],
    ['https://api.example.com./x', away],
    ['http://api.example.com', away],
    ['http://127.0.0.1:4020/facilitator', away],
    ['http://[::1]:4020', away],
    ['http://tollbook.localhost:4020', away],
    ['http://127.0.0.1:8080/facilitator', local],
    ['http://0.0.0.0:4020', local],
    ['http://LOCALHOST:8080//', local],
  ])('%s is it', (url, config) => expect(isOwnAddress(url, config)).toBe(true));

  it.each([
    ['https://facilitator.example/x402', away],
    ['https://api.example.com:8443', away],
    ['https://api.example.com.evil.example', away],
    ['http://127.0.0.1:4029/facilitator', away],
    ['http://localhost', local],
    ['http://10.0.0.1:4020', local],
  ])('%s is not', (url, config) => expect(isOwnAddress(url, config)).toBe(false));
});
