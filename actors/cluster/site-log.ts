import type { Log } from '../../bus/log.ts';
import type { Heartbeat } from '../../bus/nats/control/control-messages.ts';
import type { OwnerRecord } from '../../bus/nats/control/owner-records.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';

/** Says in the log what happens among the machines, as seen from this one: each change once. */
export class SiteLog {
  readonly #cluster: ClusterConfig;
  readonly #log: Log;
  #alive: ReadonlySet<string>;
  #hasQuorum: boolean | undefined;

  constructor(cluster: ClusterConfig, log: Log) {
    this.#cluster = cluster;
    this.#log = log;
    this.#alive = new Set([cluster.name]);
  }

  hears(beats: readonly Heartbeat[], hasQuorum: boolean): void {
    const alive = new Set(beats.map(({ machine }) => machine));
    for (const machine of this.#cluster.machines) {
      if (alive.has(machine) && !this.#alive.has(machine)) this.#log.info(`${machine} is heard`);
      if (!alive.has(machine) && this.#alive.has(machine)) this.#log.warning(`${machine} is silent`);
    }
    this.#alive = alive;
    if (hasQuorum && this.#hasQuorum === false)
      this.#log.info('a majority of the voting machines is heard again');
    if (!hasQuorum && this.#hasQuorum) {
      this.#log.warning('less than a majority of the voting machines is heard: owners stay as they are');
    }
    this.#hasQuorum = hasQuorum;
  }

  attends(monitorID: string, isAttended: boolean, record: OwnerRecord | undefined): void {
    const owner = record?.owner ?? 'nobody';
    const isOwn = owner === this.#cluster.name;
    if (!isAttended) this.#log.info(`${owner} records it`, monitorID);
    else if (isOwn) this.#log.info('recorded here, as its owner', monitorID);
    else if (record?.next === this.#cluster.name) this.#log.info(`taken over from ${owner}`, monitorID);
    else if (record)
      this.#log.info(`recorded here provisionally: ${owner} is not heard to record it`, monitorID);
    else this.#log.info('recorded here provisionally: nobody is heard to record it', monitorID);
  }

  stored({ id, owner, next, token }: OwnerRecord): void {
    const text = next === undefined ? `owned by ${owner}` : `${owner} hands it over to ${next}`;
    this.#log.info(`${text} (token ${token})`, id);
  }
}
