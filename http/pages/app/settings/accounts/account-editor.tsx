import { useEffect, useState } from 'preact/hooks';
import type { JsonObject } from '../../../../../store/base/json.ts';
import type { MonitorSummary } from '../../../../state/monitor-summary.ts';
import { getJson } from '../../data/request.ts';
import { attempt, Draft } from '../form/draft.ts';
import { Loading } from '../form/loading.tsx';
import { AccountForm } from './account-form.tsx';

/** As `GET /api/accounts` has it. */
export interface ListedAccount {
  readonly id: string;
  readonly username: string;
  readonly isAdmin: boolean;
  readonly monitors?: readonly string[];
}

interface Loaded {
  readonly draft: Draft;
  readonly monitors: readonly MonitorSummary[];
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567';

/** 80 random bits. */
function newID(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => letters[byte % letters.length])
    .join('');
}

/** Loads what is needed to edit an account. @param id empty for a new one. */
export function AccountEditor({ id }: { readonly id: string }) {
  const [loaded, setLoaded] = useState<Loaded>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    void attempt(async () => {
      const [accounts, monitors] = await Promise.all([
        getJson<Readonly<Record<string, JsonObject>>>('/api/accounts'),
        getJson<readonly MonitorSummary[]>('/api/monitor/states'),
      ]);
      const found = accounts[id] ?? { id: newID(), username: '', isAdmin: false };
      setLoaded({ draft: new Draft(found), monitors });
    }).then((failure) => setProblem(failure?.message));
  }, [id]);
  if (!loaded) return <Loading problem={problem} />;
  return <AccountForm {...loaded} isNew={id === ''} />;
}
