/** A model is unusable. The message is one sentence that begins with the model's name. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code = 'model_unusable';
}
