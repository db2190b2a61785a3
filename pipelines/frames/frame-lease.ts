/** Something that is held for a while after each renewal, and let go by itself. */
export class FrameLease {
  readonly #milliseconds: number;
  readonly #onChange: (held: boolean) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, onChange: (held: boolean) => void) {
    this.#milliseconds = milliseconds;
    this.#onChange = onChange;
  }

  get held(): boolean {
    return this.#timer !== undefined;
  }

  renew(): void {
    const { held } = this;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), this.#milliseconds);
    if (!held) this.#onChange(true);
  }

  end(): void {
    if (!this.held) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onChange(false);
  }
}
