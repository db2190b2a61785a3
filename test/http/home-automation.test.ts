import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import nunjucks from 'nunjucks';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { admin, authorization, type FrontDoor, openFrontDoor } from '../support/http-server.ts';
import { isEnabled, testMonitor } from '../support/monitors.ts';
import { project } from '../support/project.ts';

/** The README's examples for Home Assistant and Prometheus, which send plainer requests than a browser does. */

interface Request {
  readonly method?: string;
  readonly username: string;
  readonly password: string;
}
interface Examples {
  readonly rest_command: Readonly<Record<string, Request & { readonly url: string }>>;
  readonly rest: readonly (Request & {
    readonly resource: string;
    readonly sensor: readonly { readonly value_template: string }[];
  })[];
  readonly scrape_configs: readonly {
    readonly scheme: string;
    readonly metrics_path: string;
    readonly basic_auth: Request;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

const readme = readFileSync(join(project, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block = '']) => parse(block) as object);
const examples = Object.assign({}, ...blocks) as Examples;

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
  await door.monitors.put(testMonitor('door'));
});

/** As it is in the README, but for the host and the password. */
function send(url: string, { method = 'get', username, password }: Request, headers = {}): Promise<Response> {
  expect(password).toBe('PASSWORD');
  const { host, pathname } = new URL(url);
  expect(host).toBe('192.168.1.20:2020');
  const login = authorization({ username, password: admin.password });
  return door.fetch(pathname, { method: method.toUpperCase(), headers: { ...login, ...headers } }, null);
}

test('rest_command switches a detector, whatever type its missing body has', async () => {
  const { door_motion_on: on, door_motion_off: off } = examples.rest_command;
  if (!on || !off) throw new Error('the README has other commands');
  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain; charset=utf-8']) {
    for (const [command, enabled] of [
      [on, true],
      [off, false],
    ] as const) {
      expect((await send(command.url, command, { 'content-type': type })).status).toBe(200);
      expect(isEnabled(door.monitors, 'door', 'motion')).toBe(enabled);
    }
  }
});

test('the rest sensor reads the state of a monitor', async () => {
  const [rest] = examples.rest;
  if (!rest) throw new Error('the README has no sensor');
  const answer = await send(rest.resource, rest, { accept: '*/*' });
  expect(answer.status).toBe(200);
  const [sensor] = rest.sensor;
  const context = { value_json: await answer.json() };
  expect(nunjucks.renderString(sensor?.value_template ?? '', context)).toBe('stopped');
});

test('Prometheus finds metrics', async () => {
  const [scrape] = examples.scrape_configs;
  if (!scrape) throw new Error('the README has no scrape_configs');
  const url = `${scrape.scheme}://${scrape.static_configs[0]?.targets[0]}${scrape.metrics_path}`;
  const answer = await send(url, scrape.basic_auth, {
    accept: 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toMatch(/^# HELP/m);
});
