import { batch, computed, signal } from '@preact/signals';
import type { Json, JsonObject } from '../../../../../store/base/json.ts';
import { RequestFailure } from '../../data/request.ts';
import { isSame, partAt, withPart } from './json-pointer.ts';

/** What the recorder says is wrong, and with which part. */
interface Flaw {
  readonly pointer: string;
  readonly sentence: string;
}

/** Something that is being edited: as it was saved, as it is now, and what is wrong with it. */
export class Draft {
  readonly value;
  readonly flaw = signal<Flaw | undefined>(undefined);
  readonly isChanged;
  /** Grows when the draft is reset: fields with a state of their own begin anew. */
  readonly resets = signal(0);
  readonly #saved;

  constructor(saved: JsonObject) {
    this.#saved = signal(saved);
    this.value = signal(saved);
    this.isChanged = computed(() => !isSame(this.value.value, this.#saved.value));
  }

  /** As it was saved. */
  get saved(): JsonObject {
    return this.#saved.value;
  }

  get(pointer: string): Json | undefined {
    return partAt(this.value.value, pointer);
  }

  /** `undefined` removes the part. A flaw of the part, or of one in it, is taken as mended. */
  set(pointer: string, part: Json | undefined): void {
    batch(() => {
      this.value.value = withPart(this.value.value, pointer, part);
      const at = this.flaw.value?.pointer;
      if (at !== undefined && `${at}/`.startsWith(`${pointer}/`)) this.flaw.value = undefined;
    });
  }

  /** It is saved. @param saved as it was when it was sent: what was typed since then is a change. */
  keep(saved = this.value.value): void {
    batch(() => {
      this.#saved.value = saved;
      this.flaw.value = undefined;
    });
  }

  /** As it was saved. */
  reset(): void {
    batch(() => {
      this.value.value = this.#saved.value;
      this.resets.value += 1;
      this.flaw.value = undefined;
    });
  }

  /** Shows a refusal at its field. */
  refuse(failure: RequestFailure): void {
    const { pointer = '', message } = failure;
    const words = message.startsWith(`${pointer}: `) ? message.slice(pointer.length + 2) : message;
    this.flaw.value = { pointer, sentence: words.charAt(0).toUpperCase() + words.slice(1) };
  }

  /** The sentence about the part at `pointer` or something in it. */
  flawAt(pointer: string): string | undefined {
    const flaw = this.flaw.value;
    return flaw && pointer !== '' && `${flaw.pointer}/`.startsWith(`${pointer}/`) ? flaw.sentence : undefined;
  }
}

/** Runs a request that changes something. @returns the failure, as its sentence for people. */
export async function attempt(run: () => Promise<unknown>): Promise<RequestFailure | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof RequestFailure) return error;
    throw error;
  }
}
