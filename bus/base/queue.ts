/** First in, first out. `Array.shift` moves all other items each time; this queue moves them only now and then. */
export class Queue<Item> {
  #items: (Item | undefined)[] = [];
  /** Index of the first item; the ones before it were removed. */
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#first];
    // Not kept until the others are moved.
    this.#items[this.#first] = undefined;
    this.#first += 1;
    if (this.#first >= 1000 && this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Inserts items at the front, in their order. */
  putBack(items: readonly Item[]): void {
    this.#items = [...items, ...this.#items.slice(this.#first)];
    this.#first = 0;
  }
}
