import type { MonitorConfig } from '../../store/monitors/monitor-config.ts';
import type { ClusterRecorder } from './cluster.ts';
import { waitFor } from './wait.ts';

/** A change by the admin, whatever the answer. */
export async function attempt(
  { recorder }: ClusterRecorder,
  method: 'PUT' | 'DELETE',
  path: string,
  value?: unknown,
): Promise<Response> {
  const token = await recorder.fetch('/api/account/my-token').then((answer) => answer.text());
  return recorder.fetch(path, {
    method,
    headers: { 'x-csrf-token': token, ...(value !== undefined && { 'content-type': 'application/json' }) },
    ...(value !== undefined && { body: JSON.stringify(value) }),
  });
}

/** The name of each monitor that a machine has. */
export async function monitorNames({ recorder }: ClusterRecorder): Promise<Record<string, string>> {
  const monitors = await recorder.get<Record<string, MonitorConfig>>('/api/monitors');
  return Object.fromEntries(Object.entries(monitors).map(([id, { name }]) => [id, name]));
}

/** Waits until each of these machines has these monitors with these names, and no others. */
export async function monitorsEverywhere(
  cluster: readonly ClusterRecorder[],
  names: Readonly<Record<string, string>>,
): Promise<void> {
  const wanted = JSON.stringify(names);
  for (const member of cluster) {
    const isSame = async () => JSON.stringify(await monitorNames(member)) === wanted;
    await waitFor(isSame, 60_000, `${member.name} to have ${wanted}`);
  }
}
