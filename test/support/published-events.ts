import type { MqttEvent } from '../../bus/messages.ts';
import { events } from '../../bus/subjects.ts';
import type { ClusterRecorder } from './cluster.ts';
import { grouped } from './grouped.ts';
import type { Place } from './lab.ts';
import { readStream } from './member-streams.ts';
import type { ListedEvent } from './site-checker.ts';

/** Two machines that detect something within this, in microseconds, have seen the same. */
const sameUs = 1_900_000;

/** Within less than six seconds of what was seen something is listed: a takeover leaves out no more of an occurrence. */
const nearby = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5];

/** An event as its machine has published it: in a list it may have another time, if the machine's clock was set since. */
export interface SeenEvent {
  readonly id: string;
  readonly machine: string;
  readonly monitorID: string;
  readonly source: string;
  /** Of its first detection. */
  readonly score: number;
  /** Unix times in microseconds: by the clock of then, and when the bus has stored it. */
  readonly time: number;
  readonly storedAt: number;
}

/** All that a machine has detected, in its order. @param place where it has a network of its own. */
export async function eventsSeenBy(member: ClusterRecorder, place?: Place): Promise<SeenEvent[]> {
  const read = await readStream(member, 'EVENTS', events, place);
  return read.map(({ message: { id, monitorID, source, time, detections }, storedAt }) => {
    const score = detections[0]?.score ?? 0;
    return { id, machine: member.name, monitorID, source, score, time, storedAt };
  });
}

/**
 * What was published at a broker, beside what machines that are one system have seen.
 *
 * @param messages of all topics of events, oldest first.
 */
export class PublishedEvents {
  /** When each was published first: the number of its message. */
  readonly #places = new Map<string, number>();

  constructor(messages: readonly { readonly payload: string }[]) {
    for (const [place, { payload }] of messages.entries()) {
      const key = keyOf(momentOf(JSON.parse(payload) as MqttEvent));
      if (!this.#places.has(key)) this.#places.set(key, place);
    }
  }

  /** Those of a list that were not published. */
  missing(listed: readonly ListedEvent[], seen: readonly SeenEvent[]): SeenEvent[] {
    const known = new Map(seen.map((event) => [event.id, event]));
    return listed.flatMap(({ id, machine }) => {
      const event = known.get(id);
      if (!event) throw new Error(`${id} is listed of ${machine}, whose bus does not have it`);
      return this.#has(event) ? [] : [event];
    });
  }

  /**
   * Those of them of whose moment no other machine's event was published: within some seconds of a fault, lists may have one
   * machine's event of it and the broker another one's.
   */
  untold(missing: readonly SeenEvent[], seen: readonly SeenEvent[]): SeenEvent[] {
    return missing.filter(({ machine, monitorID, source, storedAt }) => {
      const isSame = (other: SeenEvent) =>
        other.machine !== machine &&
        other.monitorID === monitorID &&
        other.source === source &&
        Math.abs(other.storedAt - storedAt) < sameUs;
      return !seen.some((other) => isSame(other) && this.#has(other));
    });
  }

  #has = (event: SeenEvent) => this.#places.has(keyOf(event));

  /** Those that were published first after a newer one of the same machine and monitor. @param seen in their order. */
  late(seen: readonly SeenEvent[]): SeenEvent[] {
    const bySource = grouped(seen, ({ machine, monitorID }) => `${machine} ${monitorID}`);
    return [...bySource.values()].flatMap((own) => {
      let next = Number.POSITIVE_INFINITY;
      return own.toReversed().filter((event) => {
        const place = this.#places.get(keyOf(event));
        if (place === undefined) return false;
        const isLate = place > next;
        next = Math.min(next, place);
        return isLate;
      });
    });
  }
}

/**
 * Those of which nothing is listed within some seconds: of what two machines record, the one's events are listed, and with short
 * pauses they are one occurrence.
 *
 * @param seen by all machines while the list was made.
 */
export function unlistedEvents(listed: readonly ListedEvent[], seen: readonly SeenEvent[]): SeenEvent[] {
  const ids = new Set(listed.map(({ id }) => id));
  const byMonitor = grouped(seen, ({ monitorID, source }) => `${monitorID} ${source}`);
  return [...byMonitor.values()].flatMap((events) => {
    const seconds = new Set(events.filter(({ id }) => ids.has(id)).map(secondOf));
    return events.filter((event) => !nearby.some((offset) => seconds.has(secondOf(event) + offset)));
  });
}

const secondOf = ({ storedAt }: SeenEvent) => Math.floor(storedAt / 1e6);

/** Of the events that one machine lists, those that come so soon after another machine's that both have seen the same. */
export function repeatedEvents(listed: readonly ListedEvent[]): ListedEvent[] {
  const byMonitor = grouped(listed, ({ monitorID }) => monitorID);
  return [...byMonitor.values()].flatMap((events) =>
    events.filter((event, index) => {
      const before = events[index - 1];
      return before && before.machine !== event.machine && event.time - before.time < sameUs;
    }),
  );
}

type Moment = Pick<SeenEvent, 'monitorID' | 'source' | 'score' | 'time'>;

/**
 * With its score: a clock that was set by whole seconds sees two pictures at the same microsecond, because a camera's pictures
 * come at even intervals.
 */
const keyOf = ({ monitorID, source, score, time }: Moment) => `${monitorID} ${source} ${score} ${time}`;

const momentOf = ({ monitorID, source, score, time }: MqttEvent): Moment => ({
  ...{ monitorID, source, score },
  time: Date.parse(time) * 1000 + Number(time.slice(23, 26)),
});
