// Does with rate-limiter-flexible what `load checks` does with ours: reads lines of JSON, answers each with one.
//   node rate-limiter-flexible.mjs FOLDER URL      FOLDER holds node_modules
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, url] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { Redis } = require('ioredis');
const { RateLimiterRedis, RateLimiterUnion } = require('rate-limiter-flexible');

const storeClient = new Redis(url);

// So many checks at once, until the time is over.
async function make({ tenants, at_once: atOnce, millis }) {
  const limiter = new RateLimiterRedis({ storeClient, keyPrefix: 'load', points: 2 ** 40, duration: 60 });
  const names = Array.from({ length: tenants }, (_, tenant) => `tenant-${String(tenant).padStart(6, '0')}`);
  const latencies = [];
  const began = performance.now();
  const end = began + millis;
  const lane = async () => {
    for (let asked = performance.now(); asked < end;) {
      await limiter.consume(names[Math.floor(Math.random() * tenants)]);
      const answered = performance.now();
      latencies.push(answered - asked);
      asked = answered;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const took = performance.now() - began;
  const sorted = Float64Array.from(latencies).sort();
  const percentile = (percent) => sorted[Math.ceil((sorted.length * percent) / 100) - 1];
  return { rate: (latencies.length / took) * 1e3, p50: percentile(50), p99: percentile(99) };
}

// Requests of one tenant at their times: when those that were admitted were sent.
async function send({ number, limits, requests }) {
  const limiters = limits.map(([points, duration], position) =>
    new RateLimiterRedis({ storeClient, keyPrefix: `sent-${position}`, points, duration }));
  const limiter = limiters.length === 1 ? limiters[0] : new RateLimiterUnion(...limiters);
  const admitted = [];
  const underWay = [];
  const began = performance.now();
  for (const at of requests) {
    const early = at - (performance.now() - began);
    if (early > 0) await sleep(early);
    const sent = performance.now() - began;
    underWay.push(limiter.consume(`tenant-${number}`).then(
      () => admitted.push(sent),
      (refused) => { if (refused instanceof Error) throw refused; },
    ));
  }
  await Promise.all(underWay);
  return admitted.sort((one, other) => one - other);
}

for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  console.log(JSON.stringify(await (told.requests ? send(told) : make(told))));
}
storeClient.disconnect();
