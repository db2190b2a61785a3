import { MachineClock } from '../../../bus/base/machine-clock.ts';
import { Mutex } from '../../../bus/base/mutex.ts';
import { nowUs } from '../../../bus/base/time.ts';
import type { Log } from '../../../bus/log.ts';
import { describeStep } from '../../../bus/logging/clock-log.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { recordings } from '../../../bus/subjects.ts';
import type { EndedRecording, UsageAnswer, UsageQuestion } from '../../log/catalogue/recording-usage.ts';
import type { RecordingFiles } from '../files/recording-files.ts';
import type { IndexedFragment } from '../fragments/fragment-index.ts';
import { ClockCorrection } from './clock-correction.ts';
import type { ClockHistory } from './clock-history.ts';
import { correctRecording, firstFragment, isMisnamed } from './corrected-recording.ts';
import type { PendingReports } from './pending-reports.ts';
import { RenameReports } from './rename-reports.ts';

export interface ClockFollowerOptions {
  readonly bus: Bus;
  readonly files: RecordingFiles;
  readonly catalogue: { usage(question: UsageQuestion): Promise<UsageAnswer> };
  readonly log: Log;
  /** Is called for each recording that has another name now. */
  readonly onRenamed: (id: string) => void;
  readonly history: ClockHistory;
  readonly pending: PendingReports;
  readonly clock?: MachineClock;
  /** {@link usualSteadyMs} if absent. */
  readonly steadyMs?: number;
}

const intervalMs = 1000;
/**
 * A clock that is set back or ahead is followed once it was not set again for so long: one that is wrong for some seconds would
 * otherwise move all that was recorded since the start of the machine, twice. One that is set to what it was before is followed at once.
 */
const usualSteadyMs = 20_000;
/**
 * After the start, whose first pages come before it, and after the clock was followed: what was recorded, or got another name, just before
 * comes into the catalogue only then, on a busy machine after a while.
 */
const looksMs = [5000, 20_000, 60_000];
const pageLength = 500;

interface WrongRecording {
  readonly id: string;
  /** By how much its beginning is moved, in microseconds. */
  readonly shiftUs: number;
}

/** A recording, and the fragment that says by which clock it is. */
interface ReadRecording {
  readonly id: string;
  readonly first: IndexedFragment;
}

/**
 * Once this machine's clock has been set, gives the recordings that were made by the wrong clock their true times and names.
 * Each says by which clock it is, so all that was recorded since the start of the machine stays in order, and nothing
 * overlaps.
 */
export class ClockFollower {
  readonly #options: ClockFollowerOptions;
  readonly #clock: MachineClock;
  readonly #reports: RenameReports;
  readonly #work = new Mutex();
  readonly #timer: NodeJS.Timeout;
  #looks: readonly NodeJS.Timeout[] = [];
  readonly #endReports: () => void;
  readonly #steadyUs: number;
  /** The clock was set, and may be set again. */
  #isWaiting: boolean;
  #isEnding = false;

  constructor(options: ClockFollowerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new MachineClock();
    this.#steadyUs = (options.steadyMs ?? usualSteadyMs) * 1000;
    this.#isWaiting = !options.history.isSteady(this.#steadyUs);
    this.#reports = new RenameReports(options);
    this.#run(async () => {
      const [failure] = await this.#reports.finish();
      if (failure) throw failure;
    });
    this.#timer = setInterval(() => this.look(), intervalMs).unref();
    this.#endReports = options.bus.subscribe(recordings, ['*'], ({ id, state }) => {
      // One that was being recorded when the clock was set is of the other clock; one that is found was perhaps left by a kill.
      if (!options.history.wasSet || !['saved', 'lost', 'found'].includes(state)) return;
      this.#run(() => this.#correctOne(id));
    });
    // The clock may have been set while no recorder ran, or just before the last one was killed.
    this.#lookLater();
  }

  /** Notices at once if the clock was set. */
  look(): void {
    const { history } = this.#options;
    this.#clock.look();
    if (history.note(this.#clock.start)) {
      this.#isWaiting = true;
      this.#run(() => history.save());
    }
    if (!this.#isWaiting || !history.isSteady(this.#steadyUs)) return;
    this.#isWaiting = false;
    this.#run(() => this.#correctAll(false));
    this.#lookLater();
  }

  #lookLater(): void {
    for (const timer of this.#looks) clearTimeout(timer);
    const look = () => this.#run(() => this.#correctAll(true));
    this.#looks = looksMs.map((ms) => setTimeout(look, ms).unref());
  }

  /** Resolves when what was begun is done. */
  idle(): Promise<void> {
    return this.#work.runExclusive(async () => {});
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#timer);
    for (const timer of this.#looks) clearTimeout(timer);
    this.#endReports();
    await this.idle();
    await this.#reports.settle();
  }

  #run(task: () => Promise<void>): void {
    const { log } = this.#options;
    void this.#work
      .runExclusive(async () => {
        if (!this.#isEnding) await task();
      })
      .catch((error: Error) => {
        log.error(`times of recordings are those of the clock before it was set: ${error.message}`);
      });
  }

  /** The oldest first, so that the last one is wrong until all are right. @param isQuick only if one of the last is wrong. */
  async #correctAll(isQuick: boolean): Promise<void> {
    const { startedUs } = this.#options.history.start;
    // A kill or an error of the disk has cut them off.
    const failures = [...(await this.#reports.finish())];
    const wrong: WrongRecording[] = [];
    // Those that got another name are among the found ones.
    for (const isFound of [false, true]) {
      const found = await this.#findWrong(isFound, isQuick);
      wrong.push(...found.wrong);
      failures.push(...found.failures);
    }
    const count = failures.length + wrong.length;
    // The catalogue would take a name that is given up for one of a recording that was deleted.
    const taken = new Set(wrong.map(({ id }) => id));
    let corrected = 0;
    for (const { id } of wrong) {
      // Set again meanwhile: all is looked at once more.
      if (this.#isEnding || this.#options.history.start.startedUs !== startedUs) break;
      const isCorrected = await this.#correct(id, taken).catch((error: Error) => void failures.push(error));
      if (isCorrected) corrected += 1;
    }
    const [first] = wrong;
    if (first && corrected > 0) this.#options.log.info(describe(corrected, wrong));
    await this.#reports.settle();
    const [failure] = failures;
    if (failure) throw new Error(`${failures.length} of ${count}: ${failure.message}`);
  }

  /** @returns with the errors of those that cannot be read. */
  async #findWrong(isFound: boolean, isQuick: boolean) {
    const { catalogue, files } = this.#options;
    const recorded: ReadRecording[] = [];
    const failures: Error[] = [];
    let { provenUs } = this.#options.history;
    for (let before: number | undefined; !this.#isEnding; ) {
      const place = before === undefined ? {} : { before };
      const { ended = [] } = await catalogue.usage({ kind: 'latest', ...place, limit: pageLength, isFound });
      const page = await this.#readPage(ended, files);
      recorded.push(...page.recorded);
      failures.push(...page.failures);
      provenUs = Math.max(provenUs, page.earlierUs);
      const isEnough = isQuick && this.#wrongOf(page.recorded, provenUs).length === 0;
      before = ended.at(-1)?.number;
      if (ended.length < pageLength || page.recorded.length === 0 || isEnough) break;
    }
    return { wrong: this.#wrongOf(recorded.reverse(), provenUs), failures };
  }

  /** Those that were recorded since the machine was started, when the others end, and the errors of those that cannot be read. */
  async #readPage(ended: readonly EndedRecording[], files: RecordingFiles) {
    const recorded: ReadRecording[] = [];
    const failures: Error[] = [];
    const correction = this.#correction(0);
    let earlierUs = 0;
    for (const { id, end } of ended) {
      if (this.#isEnding) break;
      const first = await firstFragment(files, id).catch(
        ({ message }: Error) => new Error(`${id}: ${message}`),
      );
      if (first instanceof Error) failures.push(first);
      else if (first && correction.isSameStart(first.machine)) recorded.push({ id, first });
      // Only the last one is sure to be of the time just before.
      else if (earlierUs === 0) earlierUs = end;
    }
    return { recorded, failures, earlierUs };
  }

  #wrongOf(recorded: readonly ReadRecording[], provenUs: number): WrongRecording[] {
    if (this.#isWaiting) return [];
    const correction = this.#correction(provenUs);
    return recorded.flatMap(({ id, first: { timeUs = 0, machine }, first }) => {
      const isWrong = correction.isNeeded(machine, timeUs);
      if (!isWrong && (correction.isOther(machine) || !isMisnamed(id, first))) return [];
      return [{ id, shiftUs: isWrong && machine ? correction.shiftUs(machine, timeUs) : 0 }];
    });
  }

  #correction(provenUs: number): ClockCorrection {
    return new ClockCorrection(this.#options.history.start, nowUs(), provenUs);
  }

  async #correctOne(id: string): Promise<void> {
    const first = await firstFragment(this.#options.files, id);
    const [wrong] = first ? this.#wrongOf([{ id, first }], this.#options.history.provenUs) : [];
    if (!wrong || !(await this.#correct(id, new Set()))) return;
    this.#options.log.info(describe(1, [wrong]));
    await this.#reports.settle();
  }

  /** @returns whether there was such a file. */
  async #correct(id: string, taken: ReadonlySet<string>): Promise<boolean> {
    const { files, history } = this.#options;
    const correction = this.#correction(history.provenUs);
    const report = await correctRecording(files, id, correction, taken, (next) =>
      this.#reports.prepare(next),
    );
    if (report) this.#reports.publish(report);
    return report !== undefined;
  }
}

function describe(count: number, [first]: readonly WrongRecording[]): string {
  const shiftUs = first?.shiftUs ?? 0;
  const what = count === 1 ? 'a recording' : `${count} recordings`;
  const direction = shiftUs > 0 ? 'later' : 'earlier';
  return `${what} of before this machine's clock was set got the true times: ${describeStep(Math.abs(shiftUs))} ${direction}`;
}
