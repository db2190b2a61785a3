import { type Static, Type } from 'typebox';
import { channel } from '../../channel.ts';
import { MonitorStatus } from '../../messages.ts';

/** What the machines of a cluster say to each other. */

const Machine = Type.String({ minLength: 1, maxLength: 253 });
const Token = Type.Integer({ minimum: 0 });

const { state, reason, recording, since } = MonitorStatus.properties;

const AttendedMonitor = Type.Object({
  id: Type.String(),
  /** The token that makes this machine the owner; 0 while it records provisionally. */
  token: Token,
  /** Of two machines that record it, what the one with the higher rank detects is published; see `tenureRank`. */
  rank: Token,
  /** Whether pictures arrive. */
  streaming: Type.Boolean(),
  /** The machine that the owner asks to take over. */
  next: Type.Optional(Machine),
  /** Absent until its pipeline has begun. */
  status: Type.Optional(Type.Object({ state, reason, recording, since })),
});

/** Published twice a second, and at each change. */
const Heartbeat = Type.Object({
  machine: Machine,
  /** Its share of the monitors, in relation to the others'; 0: it votes only. */
  capacity: Type.Number({ minimum: 0 }),
  /** Its recorder is stopping: others need not wait until it is silent. */
  leaving: Type.Boolean(),
  /** The monitors that it records, or tries to. */
  attends: Type.Array(AttendedMonitor),
});
export type Heartbeat = Static<typeof Heartbeat>;

const SentHeartbeat = Type.Object({
  ...Heartbeat.properties,
  /** Of this start of the machine: two machines with one name are told apart by it. */
  session: Type.String({ minLength: 1, maxLength: 64 }),
  /** The last change of the shared configuration that it has: a sequence number. */
  config: Token,
  /** When it was sent, in milliseconds since 1970 by the sender's clock: only to say that clocks differ. Absent in earlier versions. */
  time: Type.Optional(Type.Number()),
});
export type SentHeartbeat = Static<typeof SentHeartbeat>;

/** The machine that owns a monitor, as it is stored. */
const Owner = Type.Object({ owner: Machine, next: Type.Optional(Machine) });

/** A monitor, an account, or what the configuration as a whole is known by, as it is stored. */
const ConfigRecord = Type.Object({
  /** null: it was deleted. */
  value: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  /** That made the change. */
  machine: Machine,
  /** Random: by it the machine knows its own change again. */
  change: Type.String({ minLength: 1, maxLength: 64 }),
});
export type ConfigRecord = Static<typeof ConfigRecord>;

const Nothing = Type.Object({});

export const heartbeats = channel(() => 'beat', SentHeartbeat);
export const configRecords = channel((kind: string, id: string) => `config.${kind}.${id}`, ConfigRecord);
/** Asks one machine whether it is there now. */
export const presence = (machine: string) => ({
  question: channel(() => `presence.${machine}`, Nothing),
  answer: channel(() => '_INBOX', Nothing),
});
export const owners = channel((monitorID: string) => `owner.${monitorID}`, Owner);

/** A machine of a cluster, as this one hears it. */
export interface MachineReport {
  readonly name: string;
  readonly isThis: boolean;
  /** Whether it was heard within the last three seconds. */
  readonly isAlive: boolean;
  readonly votes: boolean;
  /** Its share of the monitors, in relation to the others'; 0: it votes only; null while it is not heard. */
  readonly capacity: number | null;
  /** The monitors that it records as their owner. */
  readonly owned: readonly string[];
  /** Those that it records because their owner is not heard to do so. */
  readonly provisional: readonly string[];
  /** It is not heard, and the machine that answers waits for somebody to say that it is off before it records its monitors. */
  readonly isWaitedFor: boolean;
}
