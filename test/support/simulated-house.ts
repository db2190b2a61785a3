import { tenureRank } from '../../bus/messages.ts';
import type { Claim } from '../../bus/mqtt/voice/claim.ts';
import { type HeardMachine, maxWaitUs, Speakers } from '../../bus/mqtt/voice/speakers.ts';
import { seeded } from './seeded.ts';

/** What happens to the machines of a house, from a moment on and for a while, both in milliseconds. */
export type HouseFault = { readonly at: number; readonly lasts: number; readonly machine: number } & {
  /**
   * `alone`: hears no machine; `offline`: does not reach the broker; `cut`: both; `still`: the recorder's process does not run,
   * its pipelines and detectors do; `ahead`, `behind`: clock set by half a minute.
   */
  readonly kind: 'dead' | 'alone' | 'offline' | 'cut' | 'still' | 'ahead' | 'behind';
};

export interface HouseSchedule {
  readonly seed: number;
  readonly machines: number;
  /** Of each machine, how far its clock is ahead, in milliseconds. */
  readonly clocks: readonly number[];
  /** When the owner hands the monitor over to another machine, with some overlap. */
  readonly moves: readonly number[];
  readonly faults: readonly HouseFault[];
}

interface SimulatedMachine {
  readonly index: number;
  readonly name: string;
  readonly clockUs: number;
  speakers: Speakers;
  /** When each other machine was heard last. */
  heardAt: Map<string, number>;
  /** Its own as an owner, otherwise 0; and that of the owner for which it stands in, if it hears a majority. */
  token: number;
  standsFor: number;
  isAttending: boolean;
  /** The others hear of it with its next heartbeat. */
  attendsSince: number;
  pictureAt: number;
  /** Its detectors begin some time after its pictures. */
  detectsAt: number;
  /** Events that are not at the broker yet, in their order: the stream of its bus. */
  waiting: SeenEvent[];
  held: SeenEvent[];
  /** What was read of the stream since the start: the next one begins with the first that is not settled. */
  read: SeenEvent[];
  /** Those that were held and are published whatever turns out. */
  readonly alongside: Set<SeenEvent>;
  /** What the broker has sent, and the recorder has not read yet. */
  unread: Claim[];
  isOnline: boolean;
  /** When the broker notices that it is gone. */
  noticedAt: number | undefined;
  /** The claim that the broker has got of it last. */
  claimed: string | undefined;
  wasDead: boolean;
}

interface SeenEvent {
  readonly moment: number;
  readonly time: number;
}

const stepMs = 100;
const heartbeatMs = 400;
/** Decided is with each heartbeat; what detectors see is judged as it comes. */
const decisionMs = 200;
const silenceMs = 3000;
const noticeMs = 4500;
/** Usually at most two seconds; eight where a machine has to begin with many monitors at once. @param random in [0, 1) */
const detectorDelayMs = (random: number) => (random < 0.8 ? random * 2500 : 2000 + (random - 0.8) * 30_000);
const faultsEndMs = 60_000;
const endMs = 90_000;
/** Somebody walks by all the time; what one machine sees within this of another is the same. */
const sameMs = 1900;
const clockStepUs = 30e6;
const id = 'door';

/**
 * Plays a schedule with simulated clocks, heartbeats and a broker.
 *
 * @returns what was wrong; empty when every event was published, and one machine speaks in the end.
 */
export function playHouse(schedule: HouseSchedule): string[] {
  return new SimulatedHouse(schedule).play();
}

class SimulatedHouse {
  readonly #schedule: HouseSchedule;
  readonly #random: () => number;
  readonly #machines: SimulatedMachine[];
  /** What the broker has retained, and the moments of the events that it was given. */
  #claim: Claim | undefined;
  readonly #published: { readonly moment: number; readonly machine: string; readonly at: number }[] = [];
  readonly #seen: SeenEvent[] = [];
  #token = 1;
  #owner = 0;
  #now = 0;
  readonly #flaws: string[] = [];

  constructor(schedule: HouseSchedule) {
    this.#schedule = schedule;
    this.#random = seeded(schedule.seed);
    this.#machines = Array.from({ length: schedule.machines }, (_, index) => {
      const name = `m${index}`;
      const clockUs = (schedule.clocks[index] ?? 0) * 1000;
      return {
        ...{ index, name, clockUs, speakers: this.#newSpeakers(name, 1e12 + clockUs), heardAt: new Map() },
        ...{ token: index === 0 ? 1 : 0, standsFor: 0, isAttending: index === 0 },
        ...{ attendsSince: -heartbeatMs, pictureAt: 0, detectsAt: 0 },
        ...{
          waiting: [],
          held: [],
          read: [],
          alongside: new Set(),
          unread: [],
          isOnline: false,
          noticedAt: undefined,
          claimed: undefined,
          wasDead: false,
        },
      };
    });
  }

  play(): string[] {
    for (; this.#now < endMs; this.#now += stepMs) {
      for (const machine of this.#machines) this.#keepAlive(machine);
      for (const machine of this.#machines) this.#hear(machine);
      for (const machine of this.#machines) this.#own(machine);
      for (const machine of this.#machines) this.#connect(machine);
      for (const machine of this.#machines) {
        if (!this.#isAlive(machine)) continue;
        this.#detect(machine);
        if (this.#runs(machine)) this.#act(machine);
      }
    }
    this.#check();
    return this.#flaws;
  }

  #newSpeakers(machine: string, startedAt: number): Speakers {
    return new Speakers({ machine, monitors: () => [{ id, isEnabled: true }], startedAt });
  }

  /** What a machine's clock says. */
  #us(machine: SimulatedMachine): number {
    const steps = Number(this.#is(['ahead'], machine)) - Number(this.#is(['behind'], machine));
    const stepUs = steps * clockStepUs;
    return 1e12 + this.#now * 1000 + machine.clockUs + stepUs;
  }

  #is(kinds: readonly HouseFault['kind'][], { index }: SimulatedMachine): boolean {
    const count = this.#machines.length;
    return this.#schedule.faults.some(
      (fault) =>
        kinds.includes(fault.kind) &&
        fault.machine % count === index &&
        fault.at <= this.#now &&
        this.#now < fault.at + fault.lasts,
    );
  }

  #isAlive = (machine: SimulatedMachine) => !this.#is(['dead'], machine);

  #runs = (machine: SimulatedMachine) => !this.#is(['dead', 'still'], machine);

  /** A machine that was dead begins anew, with what its bus has kept. */
  #keepAlive(machine: SimulatedMachine): void {
    const isDead = !this.#isAlive(machine);
    if (isDead && !machine.wasDead) machine.isAttending = false;
    if (!isDead && machine.wasDead) {
      machine.speakers = this.#newSpeakers(machine.name, this.#us(machine));
      machine.heardAt = new Map();
      const open = new Set([...machine.held, ...machine.waiting]);
      const first = machine.read.findIndex((event) => open.has(event));
      const again = new Set([...(first < 0 ? [] : machine.read.slice(first)), ...machine.waiting]);
      machine.waiting = [...again].sort((a, b) => a.moment - b.moment);
      machine.held = [];
      machine.read = [];
      machine.alongside.clear();
      machine.unread = [];
      machine.claimed = undefined;
    }
    machine.wasDead = isDead;
  }

  #hear(to: SimulatedMachine): void {
    if (!this.#runs(to) || this.#is(['alone', 'cut'], to)) return;
    for (const from of this.#machines) {
      if (from === to || !this.#runs(from) || this.#is(['alone', 'cut'], from)) continue;
      if (this.#now - (to.heardAt.get(from.name) ?? -1e9) < heartbeatMs) continue;
      to.heardAt.set(from.name, this.#now);
      to.speakers.hear(from.name, this.#us(to));
    }
  }

  #hears = (to: SimulatedMachine, from: SimulatedMachine) =>
    this.#now - (to.heardAt.get(from.name) ?? -1e9) < silenceMs;

  #isHeardAttending = ({ isAttending, attendsSince }: SimulatedMachine) =>
    isAttending && this.#now >= attendsSince + heartbeatMs;

  /** As `Ownership` does it, in short. */
  #own(machine: SimulatedMachine): void {
    if (!this.#runs(machine)) return;
    const owner = this.#machines[this.#owner];
    if (!owner) return;
    const isMine = machine.token > 0;
    const heard = this.#machines.filter((other) => other !== machine && this.#hears(machine, other));
    const heardAttending = heard.filter((other) => this.#isHeardAttending(other) && this.#isAlive(other));
    const isRelieved = heardAttending.some(
      (other) => other.token > machine.token && other.pictureAt <= this.#now,
    );
    if (isRelieved && (machine !== owner || machine.token < this.#token)) {
      machine.token = 0;
      machine.isAttending = false;
      return;
    }
    if (!machine.isAttending && heardAttending.length === 0 && (isMine || !this.#hears(machine, owner))) {
      if (this.#now > silenceMs + machine.index * 500 || isMine) this.#begin(machine);
    }
    const isMajority = (heard.length + 1) * 2 > this.#machines.length;
    if (!machine.isAttending || !this.#hears(machine, owner))
      machine.standsFor = isMajority ? this.#token : 0;
    // The voters decide now and then, if this machine reaches one of them.
    const wantsIt =
      machine.isAttending &&
      machine.token === 0 &&
      heard.length > 0 &&
      !this.#hears(machine, owner) &&
      machine !== owner;
    if (wantsIt && this.#random() < 0.02) this.#grant(machine);
    const moves = this.#schedule.moves.some((at) => Math.abs(at - this.#now) < stepMs / 2);
    if (!moves || machine !== owner || !machine.isAttending) return;
    const [next] = heard;
    if (!next || !this.#hears(next, machine) || !this.#runs(next)) return;
    this.#begin(next);
    next.pictureAt = this.#now;
    this.#grant(next);
  }

  #begin(machine: SimulatedMachine): void {
    if (machine.isAttending) return;
    machine.isAttending = true;
    machine.attendsSince = this.#now;
    machine.pictureAt = this.#now + 300 + this.#random() * 700;
    machine.detectsAt = machine.pictureAt + detectorDelayMs(this.#random());
  }

  #grant(machine: SimulatedMachine): void {
    this.#token += 1;
    machine.token = this.#token;
    this.#owner = machine.index;
  }

  #connect(machine: SimulatedMachine): void {
    const reaches = this.#isAlive(machine) && !this.#is(['offline', 'cut'], machine);
    if (reaches && !machine.isOnline) {
      machine.isOnline = true;
      machine.speakers.setConnected(true);
      machine.noticedAt = undefined;
      for (const other of this.#machines) {
        if (other === machine) continue;
        machine.speakers.setOnline(other.name, this.#isKnownOnline(other), this.#us(machine));
        if (other.isOnline) other.speakers.setOnline(machine.name, true, this.#us(other));
      }
      machine.unread = this.#claim ? [this.#claim] : [];
      if (this.#runs(machine)) this.#read(machine);
    }
    if (!reaches && machine.isOnline) {
      machine.isOnline = false;
      machine.speakers.setConnected(false);
      machine.noticedAt = this.#now + (this.#isAlive(machine) ? noticeMs : 0);
    }
    if (machine.noticedAt === undefined || machine.noticedAt > this.#now) return;
    machine.noticedAt = undefined;
    for (const other of this.#machines) {
      if (other.isOnline) other.speakers.setOnline(machine.name, false, this.#us(other));
    }
  }

  #isKnownOnline = ({ isOnline, noticedAt }: SimulatedMachine) => isOnline || noticedAt !== undefined;

  #detect(machine: SimulatedMachine): void {
    if (!machine.isAttending || machine.detectsAt > this.#now || this.#now % 500 !== 0) return;
    const event = { moment: this.#now, time: this.#us(machine) };
    machine.waiting.push(event);
    this.#seen.push(event);
  }

  #act(machine: SimulatedMachine): void {
    const isFirst = machine.unread.length > 0 && this.#random() < 0.5;
    if (isFirst) this.#read(machine);
    for (const { time } of machine.waiting) machine.speakers.detected(id, time);
    const isDue = (this.#now + machine.index * stepMs) % decisionMs === 0;
    if (isDue || machine.speakers.isSetBack(this.#us(machine))) this.#decide(machine);
    if (machine.isOnline) this.#publish(machine);
    this.#read(machine);
  }

  #read(machine: SimulatedMachine): void {
    for (const claim of machine.unread.splice(0)) {
      machine.speakers.learn(id, claim);
      this.#decide(machine);
      this.#release(machine);
    }
  }

  #decide(machine: SimulatedMachine): void {
    const { speakers } = machine;
    const now = this.#us(machine);
    const seen = [
      machine,
      ...this.#machines.filter((other) => other !== machine && this.#hears(machine, other)),
    ];
    const heard = seen.map((other): HeardMachine => {
      const streaming = other.pictureAt <= this.#now;
      const { token, standsFor } = other;
      const isAttending = other === machine ? other.isAttending : this.#isHeardAttending(other);
      const rank = tenureRank({ token: token || standsFor, provisional: token === 0 });
      return { machine: other.name, attends: isAttending ? [{ id, rank, streaming }] : [] };
    });
    const changed = speakers.decide(heard, now).length > 0;
    const claim = speakers.claim(id);
    if (changed) this.#release(machine);
    machine.held = machine.held.filter(({ time }) => time >= now - maxWaitUs);
    if (!machine.isOnline) return;
    const text = claim && JSON.stringify(claim);
    const isNews = changed || text !== machine.claimed;
    machine.claimed = text;
    if (claim && text !== JSON.stringify(this.#claim) && isNews) {
      this.#claim = claim;
      for (const other of this.#machines) {
        if (other !== machine && other.isOnline) other.unread.push(claim);
      }
    }
  }

  #publish(machine: SimulatedMachine): void {
    const now = this.#us(machine);
    for (const event of machine.waiting.splice(0)) {
      const isDecided = machine.alongside.delete(event);
      const verdict = isDecided ? 'publish' : machine.speakers.verdict(id, event.time, now);
      if (verdict === 'wait') machine.held.push(event);
      if (!machine.read.includes(event)) machine.read.push(event);
      if (verdict !== 'publish') continue;
      this.#published.push({ moment: event.moment, machine: machine.name, at: this.#now });
    }
  }

  /** What it holds is judged again, before what is newer. */
  #release(machine: SimulatedMachine): void {
    const now = this.#us(machine);
    const held = machine.held.splice(0);
    const verdicts = held.map(({ time }) => machine.speakers.verdict(id, time, now));
    const last = verdicts.lastIndexOf('publish');
    const released: SeenEvent[] = [];
    for (const [index, event] of held.entries()) {
      if (verdicts[index] === 'skip') continue;
      (index > last ? machine.held : released).push(event);
      if (verdicts[index] === 'wait' && index < last) machine.alongside.add(event);
    }
    machine.waiting.unshift(...released);
  }

  /** What two machines publish in the time of faults is little. */
  #checkRepeats(): void {
    const counts = new Map<number, number>();
    for (const { moment } of this.#published) counts.set(moment, (counts.get(moment) ?? 0) + 1);
    const twice = [...counts.values()].filter((count) => count > 1).length / 2;
    const changes = this.#schedule.moves.length + this.#schedule.faults.length * 2;
    if (twice > 5 * (changes + 1)) this.#flaws.push(`${twice} s were published twice`);
  }

  #check(): void {
    const speaking = this.#machines.filter(({ speakers }) => speakers.speaks(id)).map(({ name }) => name);
    if (speaking.length !== 1) this.#flaws.push(`in the end ${speaking.join(' and ') || 'nobody'} speaks`);
    for (const { moment } of this.#seen) {
      if (moment > endMs - 5000) continue;
      if (this.#published.some((each) => Math.abs(each.moment - moment) <= sameMs)) continue;
      this.#flaws.push(`${moment}: nobody published what was seen`);
      return;
    }
    this.#checkRepeats();
    const settled = this.#published.filter(({ at }) => at > faultsEndMs + 20_000);
    const moments = new Set(settled.map(({ moment }) => moment));
    if (moments.size !== settled.length) this.#flaws.push('in the end two machines publish');
    for (const { name } of this.#machines) {
      const all = this.#published.filter(({ machine }) => machine === name).map(({ moment }) => moment);
      const own = [...new Set(all)];
      if (own.some((moment, index) => moment < (own[index - 1] ?? 0)))
        this.#flaws.push(`${name}: out of order`);
    }
  }
}
