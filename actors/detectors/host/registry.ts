/** Every detector: one line each. Everything else follows from its definition. */

export { motion } from '../motion/motion-definition.ts';
export { tflite } from '../objects/tflite-definition.ts';
