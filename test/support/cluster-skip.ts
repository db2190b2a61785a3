import { beforeEach, inject } from 'vitest';

const reason = inject('noCluster');

beforeEach(({ skip }) => {
  if (reason !== '') skip(reason);
});
