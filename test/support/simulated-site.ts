import { Ownership } from '../../actors/cluster/ownership/ownership.ts';
import type { SharedMonitor } from '../../actors/cluster/ownership/placement.ts';
import type { Heartbeat } from '../../bus/nats/control/control-messages.ts';
import type { OwnerRecord, Proposal } from '../../bus/nats/control/owner-records.ts';
import { seeded } from './seeded.ts';

/** What happens to the site, from a moment on and for a while, both in milliseconds. Machines are numbered. */
export type SiteFault = { readonly at: number; readonly lasts: number } & (
  | { readonly kind: 'kill' | 'stop' | 'cut'; readonly machine: number }
  /** Main alone stands still, or its pipelines as well. */
  | { readonly kind: 'pause'; readonly machine: number; readonly pipelines: boolean }
  | { readonly kind: 'one-way'; readonly from: number; readonly to: number }
  | { readonly kind: 'loss'; readonly share: number }
  | { readonly kind: 'no-records' }
);

export interface SiteSchedule {
  readonly seed: number;
  readonly machines: number;
  readonly monitors: number;
  /** The monitor of this number is reached by the first two machines only. */
  readonly separate?: number | undefined;
  /** How much faster than real time each machine's clock runs: 0.98 to 1.02. */
  readonly rates: readonly number[];
  readonly faults: readonly SiteFault[];
}

const stepMs = 100;
const decideMs = 200;
const beatMs = 500;
const faultsEndMs = 60_000;
const healedMs = 75_000;
/** For how long all must have been well at the end. */
const steadyMs = 5000;
/** How long a monitor may be without footage after the last fault of a process. */
const maxGapMs = 5000;
const answerDeadlineMs = 5000;

interface SimulatedMachine {
  readonly index: number;
  readonly name: string;
  ownership: Ownership | undefined;
  /** Whether each monitor's pipeline sends pictures, or when it will. */
  pipelines: Map<string, number>;
  pausedUntil: number;
  arePipelinesPaused: boolean;
  nextDecision: number;
  nextBeat: number;
  lastAttended: string;
  /** When it looks next whether the records are to be read. */
  readsAt: number;
}

/**
 * Plays a schedule with simulated clocks, network and records.
 *
 * @returns what was wrong; empty when all went well.
 */
export function playSchedule(schedule: SiteSchedule): string[] {
  return new SimulatedSite(schedule).play();
}

class SimulatedSite {
  readonly #schedule: SiteSchedule;
  readonly #random: () => number;
  readonly #machines: SimulatedMachine[];
  readonly #monitors: readonly SharedMonitor[];
  readonly #records = new Map<string, OwnerRecord>();
  #log: OwnerRecord[] = [];
  #later: { readonly at: number; readonly run: () => void }[] = [];
  #now = 0;
  #processFaultAt = 0;
  /** Until the voters have elected a leader again. */
  #electionUntil = 4000;
  #network = '';
  #active: readonly SiteFault[] = [];
  /** By the numbers of the machine that sends and the one that hears. */
  #links: readonly (readonly boolean[])[] = [];
  readonly #flaws: string[] = [];

  constructor(schedule: SiteSchedule) {
    this.#schedule = schedule;
    this.#random = seeded(schedule.seed);
    const names = Array.from({ length: schedule.machines }, (_, index) => `nvr${index + 1}`);
    this.#monitors = Array.from({ length: schedule.monitors }, (_, index) => ({
      id: `m${index}`,
      ...(index === schedule.separate && { machines: names.slice(0, 2) }),
    }));
    this.#machines = names.map((name, index) => ({
      ...{
        index,
        name,
        ownership: undefined,
        pipelines: new Map(),
        pausedUntil: 0,
        arePipelinesPaused: false,
      },
      ...{ nextDecision: 0, nextBeat: 0, lastAttended: '', readsAt: 0 },
    }));
    for (const machine of this.#machines) this.#start(machine);
  }

  play(): string[] {
    const { faults } = this.#schedule;
    for (const fault of faults) this.#after(fault.at, () => this.#begin(fault));
    let well = 0;
    for (
      const end = faultsEndMs + healedMs;
      this.#now < end && this.#flaws.length === 0;
      this.#now += stepMs
    ) {
      this.#setActive(faults.filter(({ at, lasts }) => at <= this.#now && this.#now < at + lasts));
      while (this.#later[0] && this.#later[0].at <= this.#now) this.#later.shift()?.run();
      this.#watchNetwork();
      for (const machine of this.#machines) if (this.#isAwake(machine)) this.#act(machine);
      for (const monitor of this.#monitors) this.#checkFootage(monitor);
      if (this.#now <= faultsEndMs || this.#now % 1000 !== 0) continue;
      const unsettled = this.#unsettled();
      if (unsettled.length === 0) well += 1000;
      else well = 0;
      if (well >= steadyMs) break;
      if (this.#now + 1000 >= end) this.#flaws.push(...unsettled);
    }
    return this.#flaws;
  }

  #after(ms: number, run: () => void): void {
    const at = this.#now + ms;
    const index = this.#later.findLastIndex((event) => event.at <= at);
    this.#later.splice(index + 1, 0, { at, run });
  }

  #clock({ index }: SimulatedMachine): number {
    return 1e6 * (index + 1) + this.#now * (this.#schedule.rates[index] ?? 1);
  }

  #start(machine: SimulatedMachine): void {
    const { name, index } = machine;
    machine.ownership = new Ownership({
      ...{ machine: name, capacity: capacityOf(index), withoutQuorum: 'record' },
      voters: this.#machines.slice(0, 3).map((voter) => voter.name),
      monitors: () => this.#monitors,
      startedAt: this.#clock(machine),
    });
    machine.readsAt = this.#now + 300;
    machine.pipelines = new Map();
    machine.pausedUntil = 0;
  }

  #isAwake = ({ ownership, pausedUntil }: SimulatedMachine) =>
    ownership !== undefined && pausedUntil <= this.#now;

  #begin(fault: SiteFault): void {
    if (fault.kind !== 'kill' && fault.kind !== 'stop' && fault.kind !== 'pause') return;
    const machine = this.#machines[fault.machine % this.#machines.length];
    if (!machine?.ownership) return;
    this.#processFaultAt = this.#now;
    const noteFault = () => {
      this.#processFaultAt = this.#now;
    };
    if (fault.kind === 'pause') {
      machine.pausedUntil = this.#now + fault.lasts;
      machine.arePipelinesPaused = fault.pipelines;
      this.#after(fault.lasts, noteFault);
      return;
    }
    if (fault.kind === 'stop' && this.#isAwake(machine)) {
      machine.ownership.leave();
      this.#send(machine, machine.ownership.beat());
    }
    machine.ownership = undefined;
    machine.pipelines.clear();
    this.#after(fault.lasts, () => {
      noteFault();
      this.#start(machine);
    });
  }

  /** Most moments have the faults of the one before, and therefore its links. */
  #setActive(active: readonly SiteFault[]): void {
    const isSame =
      active.length === this.#active.length && active.every((fault, n) => fault === this.#active[n]);
    if (isSame && this.#links.length > 0) return;
    this.#active = active;
    const numbers = this.#machines.map(({ index }) => index);
    this.#links = numbers.map((from) =>
      numbers.map((to) => !active.some((fault) => this.#breaks(fault, from, to))),
    );
  }

  #breaks(fault: SiteFault, from: number, to: number): boolean {
    const count = this.#machines.length;
    if (fault.kind === 'cut') return [from, to].includes(fault.machine % count);
    return fault.kind === 'one-way' && fault.from % count === from && fault.to % count === to;
  }

  #isLinked(from: SimulatedMachine, to: SimulatedMachine): boolean {
    return this.#links[from.index]?.[to.index] ?? true;
  }

  /** Every change among the voters costs an election of up to 15 s. */
  #watchNetwork(): void {
    let network = '';
    for (const voter of this.#machines.slice(0, 3)) {
      network += this.#isAwake(voter) ? 1 : 0;
      for (const isLinked of this.#links[voter.index]?.slice(0, 3) ?? []) network += isLinked ? 1 : 0;
    }
    if (this.#network !== '' && network !== this.#network && this.#random() < 0.7) {
      this.#electionUntil = Math.max(this.#electionUntil, this.#now + this.#random() * 15_000);
    }
    this.#network = network;
  }

  /** Whether the records can be changed and read by this machine: a voter that it reaches is one of a majority. */
  #reachesRecords(machine: SimulatedMachine): boolean {
    if (this.#now < this.#electionUntil || this.#active.some(({ kind }) => kind === 'no-records'))
      return false;
    const areLinked = (a: SimulatedMachine, b: SimulatedMachine) =>
      this.#isLinked(a, b) && this.#isLinked(b, a);
    const voters = this.#machines.slice(0, 3).filter(this.#isAwake);
    return voters.some(
      (voter) =>
        (voter === machine || areLinked(voter, machine)) &&
        voters.filter((other) => other === voter || areLinked(voter, other)).length >= 2,
    );
  }

  #act(machine: SimulatedMachine): void {
    const { ownership } = machine;
    if (!ownership) return;
    const clock = this.#clock(machine);
    if (ownership.mustRead && this.#now >= machine.readsAt) this.#read(machine, ownership);
    if (clock < machine.nextDecision) return;
    machine.nextDecision = clock + decideMs;
    for (const { id } of this.#monitors) {
      ownership.setStreaming(id, (machine.pipelines.get(id) ?? Number.POSITIVE_INFINITY) <= this.#now);
    }
    for (const proposal of ownership.decide(clock)) this.#propose(machine, ownership, proposal);
    this.#runPipelines(machine, ownership);
    const beat = ownership.beat();
    const attended = beat.attends.map(({ id, token, streaming }) => `${id} ${token} ${streaming}`).join();
    if (clock < machine.nextBeat && attended === machine.lastAttended) return;
    machine.nextBeat = clock + beatMs;
    machine.lastAttended = attended;
    this.#send(machine, beat);
  }

  #read(machine: SimulatedMachine, ownership: Ownership): void {
    machine.readsAt = this.#now + 1000;
    if (!this.#reachesRecords(machine)) return;
    const sequence = this.#log.length;
    const records = [...this.#records.values()];
    this.#after(20 + this.#random() * 200, () => {
      if (machine.ownership !== ownership) return;
      for (const record of records) ownership.learn(record, this.#clock(machine));
      ownership.caughtUp(sequence);
    });
  }

  #runPipelines({ pipelines }: SimulatedMachine, { attended }: Ownership): void {
    for (const id of pipelines.keys()) if (!attended.has(id)) pipelines.delete(id);
    for (const id of attended) {
      if (!pipelines.has(id)) pipelines.set(id, this.#now + 300 + this.#random() * 700);
    }
  }

  #send(from: SimulatedMachine, beat: Heartbeat): void {
    const loss = this.#active.find((fault) => fault.kind === 'loss');
    for (const to of this.#machines) {
      if (to === from || !this.#isLinked(from, to)) continue;
      if (loss?.kind === 'loss' && this.#random() < loss.share) continue;
      this.#after(1 + this.#random() * 30, () => this.#deliver(to, beat));
    }
  }

  /** A machine that is paused finds what arrived meanwhile when it wakes. */
  #deliver(to: SimulatedMachine, beat: Heartbeat): void {
    if (to.pausedUntil > this.#now)
      this.#after(to.pausedUntil - this.#now + 1, () => this.#deliver(to, beat));
    else to.ownership?.hear(beat, this.#clock(to));
  }

  #propose(machine: SimulatedMachine, ownership: Ownership, proposal: Proposal): void {
    const settle = (ms: number, record?: OwnerRecord) =>
      this.#after(ms, () => {
        if (machine.ownership !== ownership) return;
        const clock = this.#clock(machine);
        if (record) ownership.learn(record, clock);
        ownership.settled(proposal.id, record !== undefined, clock);
      });
    const isReached = this.#reachesRecords(machine);
    const isAnswered = this.#random() < 0.95;
    if (!isReached) {
      settle(answerDeadlineMs);
      return;
    }
    const { id, owner, next, expected, expectedLast } = proposal;
    const isCurrent = (this.#records.get(id)?.token ?? 0) === expected;
    if (!isCurrent || (expectedLast !== undefined && expectedLast !== this.#log.length)) {
      settle(50);
      return;
    }
    const record = { id, owner, next, token: this.#log.length + 1 };
    this.#records.set(id, record);
    this.#log.push(record);
    const moving = [...this.#records.values()].filter((each) => each.next !== undefined);
    if (moving.length > 1) this.#flaws.push(`${this.#now}: ${moving.length} moves at a time`);
    if (isAnswered) settle(20 + this.#random() * 100, record);
    else settle(answerDeadlineMs);
  }

  #isRecording(machine: SimulatedMachine, id: string): boolean {
    const isStopped = machine.pausedUntil > this.#now && machine.arePipelinesPaused;
    return !isStopped && (machine.pipelines.get(id) ?? Number.POSITIVE_INFINITY) <= this.#now;
  }

  #checkFootage({ id, machines }: SharedMonitor): void {
    if (this.#now - this.#processFaultAt < maxGapMs) return;
    const able = this.#machines.filter((each) => machines?.includes(each.name) ?? true);
    if (!able.some(this.#isAwake) || this.#machines.some((machine) => this.#isRecording(machine, id))) return;
    this.#flaws.push(`${this.#now}: nobody records ${id}`);
  }

  /** What is not yet as it must be when all faults are over. */
  #unsettled(): string[] {
    const flaws = this.#monitors.flatMap(({ id, machines }) => {
      const record = this.#records.get(id);
      const recording = this.#machines.filter((each) => this.#isRecording(each, id)).map(({ name }) => name);
      const isWhole = recording.join() === record?.owner && record.next === undefined;
      const isReached = machines?.includes(record?.owner ?? '') ?? true;
      return isWhole && isReached ? [] : [`${id} of ${JSON.stringify(record)} is recorded by ${recording}`];
    });
    const owners = [...this.#records.values()].map(({ owner }) => owner);
    const counts = this.#machines.map(({ name }) => owners.filter((owner) => owner === name).length);
    const burden = (more: number) => counts.map((count, index) => (count + more) / capacityOf(index));
    const isEven = Math.max(...burden(0)) <= Math.min(...burden(1)) + 1e-9;
    if (this.#schedule.separate === undefined && !isEven) flaws.push(`the machines own ${counts} monitors`);
    return flaws.map((flaw) => `at the end: ${flaw}`);
  }
}

const capacityOf = (index: number) => (index === 0 ? 20 : 10);
