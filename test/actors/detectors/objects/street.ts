/**
 * How many people there are in `vtest.avi`, second by second from its first picture: counted by looking at them.
 * Someone behind the lamp post counts when a part of him shows; where two hide each other it may be one more.
 */
export const peopleOnTheStreet: readonly number[] = [
  [3, 4, 5, 5, 6, 5, 6, 6, 7, 7],
  [6, 8, 8, 8, 8, 7, 7, 7, 7, 7],
  [7, 6, 6, 7, 7, 7, 7, 7, 7, 5],
  [5, 6, 6, 6, 5, 5, 6, 5, 4, 4],
  [2, 2, 3, 3, 3, 3, 4, 4, 4, 4],
  [6, 7, 6, 6, 6, 6, 6, 7, 6, 6],
  [6, 7, 6, 6, 6, 6, 7, 7, 7, 7],
  [7, 8, 7, 7, 7, 7, 7, 7, 7, 7],
].flat();
