/** A longer pause between two events begins another occurrence. In microseconds, as the recorder has it. */
export const pauseUs = 30e6;
