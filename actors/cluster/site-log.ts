import { lookup } from 'node:dns/promises';
import type { Log } from '../../bus/log.ts';
import type { Heartbeat } from '../../bus/nats/control/control-messages.ts';
import type { OwnerRecord } from '../../bus/nats/control/owner-records.ts';
import type { ClusterConfig } from '../../store/config/cluster-config.ts';
import { ClockDifferences } from './clock-differences.ts';
import type { SharedMonitor } from './ownership/placement.ts';

/** So long after the start it is no news yet that a machine is not heard, in milliseconds. */
const patienceMs = 10_000;
/** As many as there may be machines. */
const maxStrangers = 8;

/** Says in the log what happens among the machines, as seen from this one: each change once. */
export class SiteLog {
  readonly #cluster: ClusterConfig;
  readonly #log: Log;
  readonly #startedAt: number;
  /** Whether each machine is heard, as was said last. */
  readonly #isHeard = new Map<string, boolean>();
  readonly #strangers = new Set<string>();
  readonly #clocks = new ClockDifferences();
  #hasQuorum: boolean | undefined;
  #hasTwin = false;

  constructor(cluster: ClusterConfig, log: Log, startedAt: number) {
    this.#cluster = cluster;
    this.#log = log;
    this.#startedAt = startedAt;
  }

  hears(beats: readonly Heartbeat[], hasQuorum: boolean, now: number): void {
    const alive = new Set(beats.map(({ machine }) => machine));
    const isEarly = now - this.#startedAt < patienceMs;
    const { machines, name } = this.#cluster;
    for (const machine of machines.filter((one) => one !== name)) {
      const [before, isHeard] = [this.#isHeard.get(machine), alive.has(machine)];
      if (before === isHeard || (before === undefined && !isHeard && isEarly)) continue;
      this.#isHeard.set(machine, isHeard);
      if (isHeard) this.#log.info(`${machine} is heard`);
      else if (before) this.#log.warning(`${machine} is silent`);
      else void this.#isNotHeard(machine);
    }
    if (hasQuorum === this.#hasQuorum || (this.#hasQuorum === undefined && !hasQuorum && isEarly)) return;
    if (!hasQuorum) {
      this.#log.warning('less than a majority of the voting machines is heard: owners stay as they are');
    } else if (this.#hasQuorum === false) this.#log.info('a majority of the voting machines is heard again');
    this.#hasQuorum = hasQuorum;
  }

  /**
   * Events are one by their times. A machine that only votes sees none.
   *
   * @param time the sender's, in milliseconds since 1970; undefined: of a machine with an earlier version.
   */
  hearsTime({ machine, capacity }: Heartbeat, time: number | undefined, now: number): void {
    if (time === undefined || capacity === 0 || machine === this.#cluster.name) return;
    const behindMs = this.#clocks.hear(machine, Date.now() - time, now);
    if (behindMs === undefined) return;
    if (behindMs === 0) {
      this.#log.info(`the clock of ${machine} agrees with this machine's again`);
      return;
    }
    const seconds = (Math.abs(behindMs) / 1000).toFixed(1);
    const side = behindMs > 0 ? 'behind' : 'ahead of';
    this.#log.warning(
      `the clock of ${machine} is ${seconds} s ${side} this machine's: after a takeover, events may be listed and published twice or not at all; let NTP (chrony) set the clocks of all machines`,
    );
  }

  /** A monitor may name machines that are no longer there, or mistyped: none of them will record it. */
  checkMachines({ id, machines = [] }: SharedMonitor): void {
    const unknown = machines.filter((machine) => !this.#cluster.machines.includes(machine));
    if (unknown.length === 0) return;
    const effect = unknown.length === machines.length ? '; until it has one, any machine may record it' : '';
    this.#log.error(`machines: [cluster] has no ${unknown.join(', ')}${effect}`, id);
  }

  /** @returns whether it has the secret, and another list of machines: nobody here could see what it records. */
  hearsStranger(machine: string): boolean {
    if (this.#cluster.machines.includes(machine)) return false;
    if (this.#strangers.has(machine) || this.#strangers.size >= maxStrangers) return true;
    this.#strangers.add(machine);
    this.#log.error(
      `${machine} is heard, which is not in machines of [cluster] here: it counts for nothing. Have the same list on all machines`,
    );
    return true;
  }

  /**
   * What the machines agree on has its copies on the voters that were there when the last of them came. Another name is another
   * voter, and gets none.
   *
   * @param holders those that have a copy, by name.
   */
  copiesAt(holders: readonly string[], voters: readonly string[]): void {
    const former = holders.filter((machine) => !voters.includes(machine));
    if (former.length === 0) return;
    const without = voters.filter((machine) => !holders.includes(machine));
    this.#log.error(
      `${without.join(', ')} has no copy of what the machines agree on, but ${former.join(', ')} is to have one: let the one that replaces it keep its name, or give all machines a new secret`,
    );
  }

  hearsTwin(): void {
    if (this.#hasTwin) return;
    this.#hasTwin = true;
    this.#log.error(
      `another machine is called ${this.#cluster.name} too: give each one its own \`name\` in [cluster], and restart it`,
    );
  }

  /** A record of the shared configuration was changed by another machine. */
  changed(kind: 'monitor' | 'account', id: string, isDeleted: boolean, machine: string): void {
    const verb = isDeleted ? 'deleted' : 'changed';
    if (kind === 'monitor') this.#log.info(`configuration ${verb} on ${machine}`, id);
    else this.#log.info(`account ${id} ${verb} on ${machine}`);
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

  /** Many home networks resolve no host names: then there is no sense in looking for another reason. */
  async #isNotHeard(machine: string): Promise<void> {
    const isKnown = await lookup(machine).then(
      () => true,
      () => false,
    );
    if (this.#isHeard.get(machine)) return;
    const reason = isKnown
      ? 'is it on, with the same secret and port?'
      : 'this machine does not know the name (use addresses in `machines`, or add it to /etc/hosts)';
    this.#log.warning(`${machine} is not heard: ${reason}`);
  }
}
