import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { startCamera, testMounts } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import {
  type ClusterRecorder,
  clusterMachines,
  machinesOf,
  settledCluster,
  startCluster,
} from '../support/cluster.ts';
import { Lab } from '../support/lab.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { expectGoodPage, morePictures, morePlayed, openPage, screens } from '../support/pages.ts';
import { waitFor } from '../support/wait.ts';

const second = 1_000_000;
/** What was recorded so long ago was recorded by the owner alone, if nothing was moved since. */
const minLengthUs = 20 * second;

interface Listed {
  readonly machine: string;
  readonly start: number;
  readonly end: number | null;
}

/** Three machines that record two cameras each: the one that is asked, the one that will be killed, and a third. */
async function startMachines() {
  const lab = Lab.open(clusterMachines);
  const camera = await startCamera({ mounts: { main: testMounts.h264(320, 180, 10) }, place: lab.cameras });
  const monitors = Array.from({ length: 6 }, (_, n) =>
    rtspMonitor(`m${n}`, [camera.url('main')], { alwaysRecord: true }),
  );
  const places = clusterMachines.map((_, index) => ({ place: lab.machine(index) }));
  const cluster = await startCluster(monitors, clusterMachines, {}, places);
  await settledCluster(cluster, monitors);
  const [asked, victim, third] = cluster;
  if (!asked || !victim || !third) throw new Error('there are less than three machines');
  const owners = async () => {
    const heard = await machinesOf(asked);
    const ownedBy = ({ name }: ClusterRecorder) => heard.find((one) => one.name === name)?.owned ?? [];
    const [[lost], [kept]] = [ownedBy(victim), ownedBy(third)];
    // Nothing is moved any more.
    const isEven = heard.length === 3 && heard.every(({ owned }) => owned.length === 2);
    return isEven && lost !== undefined && kept !== undefined && { lost, kept };
  };
  return { monitors, asked, victim, third, ...(await waitFor(owners, 90_000, 'cameras on each machine')) };
}

/** The address of the page that plays what a machine, and no other one, has recorded of a monitor a moment ago. */
async function recordedAddress(on: ClusterRecorder, id: string, machine: string): Promise<string> {
  const find = async () =>
    (await on.recorder.get<Listed[]>(`/api/recording/query?monitors=${id}`)).find(
      (one) => one.machine === machine && (one.end ?? Date.now() * 1000) > one.start + minLengthUs,
    );
  const { end } = await waitFor(find, 60_000, `a recording of ${machine}`);
  const time = (end ?? Date.now() * 1000) - minLengthUs / 2;
  const day = new Date(time / 1000).toISOString().slice(0, 10);
  const span = `start=${time - 30 * second}&end=${time + 60 * second}`;
  return `${on.recorder.url}/recordings?monitor=${id}&day=${day}&${span}&time=${time}`;
}

const rowOf = (page: Page, { name }: ClusterRecorder) => page.locator('.machines li', { hasText: name });

test('a browser at one machine shows what all of them see and have, also while one is dead', async () => {
  const [{ monitors, asked, victim, third, lost, kept }, browser] = await Promise.all([
    startMachines(),
    launchChromium(),
  ]);
  const address = `${asked.recorder.url}/live`;
  const { page, complaints } = await openPage(browser, address, asked.recorder.admin);
  for (const { id } of monitors) await morePictures(page, id, 10);
  for (const machine of [asked, victim, third]) await rowOf(page, machine).getByText('2 cameras').waitFor();
  const tile = page.locator(`[data-monitor="${lost}"] .tile-machine`);
  await tile.getByText(`Recorded by ${victim.name}`).waitFor({ state: 'attached' });
  await expectGoodPage(page, 'cluster-live');

  const film = await recordedAddress(asked, lost, victim.name);
  await victim.recorder.kill();
  await rowOf(page, victim).getByText('unreachable').waitFor();
  await settledCluster([asked, third], monitors);
  // Nobody has loaded the page again.
  for (const { id } of monitors) await morePictures(page, id, 10);
  const phone = await openPage(browser, address, asked.recorder.admin, screens.phone);
  await morePictures(phone.page, lost, 10);
  await rowOf(phone.page, victim).getByText('unreachable').waitFor();
  await expectGoodPage(phone.page, 'cluster-live-phone');
  await phone.close();

  await page.goto(await recordedAddress(asked, kept, third.name));
  await morePlayed(page, kept, 3);
  // What another machine has recorded since is played instead, and the page says so.
  await page.goto(film);
  const away = page.getByText(`${victim.name}, which recorded then, is away`);
  await away.waitFor();
  await morePlayed(page, lost, 1);
  await expectGoodPage(page, 'cluster-away');
  await victim.recorder.restart();
  const isBack = async () => (await machinesOf(asked)).every(({ isAlive }) => isAlive);
  await waitFor(isBack, 60_000, 'the machine to be back');
  await page.goto(film);
  await morePlayed(page, lost, 3);
  expect(await away.count()).toBe(0);

  await page.goto(`${asked.recorder.url}/logs`);
  await page.getByLabel(/^Machine/).selectOption(third.name);
  await page.waitForURL(`**/logs?machine=${third.name}`);
  const from = page.locator('.log .from');
  await from.filter({ hasText: third.name }).first().waitFor();
  expect(await from.filter({ hasNotText: third.name }).count()).toBe(0);
  await expectGoodPage(page, 'cluster-logs');

  await page.goto(`${asked.recorder.url}/settings?monitor=${kept}`);
  const machines = page.getByRole('group', { name: 'Machines that reach this camera' });
  await machines.getByLabel(victim.name).check();
  await page.getByRole('button', { name: 'Save' }).click();
  const stored = async () =>
    (await asked.recorder.get<Record<string, { machines?: string[] }>>('/api/monitors'))[kept]?.machines;
  await expect.poll(stored).toEqual([victim.name]);
  const isMoved = async () =>
    (await machinesOf(third)).some(({ name, owned }) => name === victim.name && owned.includes(kept));
  await waitFor(isMoved, 60_000, 'the camera on the machine that reaches it');
  await expectGoodPage(page, 'cluster-settings');
  expect([...complaints, ...phone.complaints]).toEqual([]);
});
