// Forms that people send. With RATE, at a rate that waits for no answer: what comes late is late for all that follow.
// Without, as fast as 64 connections get answers.
import http from 'k6/http';
import { check } from 'k6';
import exec from 'k6/execution';

const CONNECTIONS = 64;
const rate = Number(__ENV.RATE);
const duration = `${__ENV.SECONDS}s`;

const closed = { executor: 'constant-vus', vus: CONNECTIONS, duration };
const open = {
  executor: 'constant-arrival-rate',
  rate,
  timeUnit: '1s',
  duration,
  // As many as one network may have in flight, so that a server that stands still shows as iterations dropped.
  preAllocatedVUs: 2 * CONNECTIONS,
  maxVUs: 2 * CONNECTIONS,
};
const kept = {
  http_req_duration: [`p(95)<${__ENV.P95}`],
  http_req_failed: [`rate<${__ENV.FAILED}`],
  dropped_iterations: ['count<1'],
};

export const options = {
  discardResponseBodies: true,
  scenarios: { forms: rate ? open : closed },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  thresholds: rate ? kept : {},
};

const headers = { Authorization: `Bearer ${__ENV.KEY}`, 'Content-Type': 'application/cloudevents+json' };

export default function () {
  const id = `load-${__ENV.RUN}-${exec.scenario.iterationInTest}`;
  const answers = [{ question: 'Anything else?', answer: 'Please ring in the afternoon.' }];
  const data = { form: 'contact', email: `${id}@load.example`, phone: '+442079460958', answers };
  const event = { specversion: '1.0', type: 'form.submitted', source: 'load/web', id, data };
  const answer = http.post(`${__ENV.URL}/v1/events`, JSON.stringify(event), { headers });
  check(answer, { accepted: (it) => it.status === 202 });
}

export function handleSummary(found) {
  return { [__ENV.SUMMARY]: JSON.stringify(found) };
}
