import '../style/logs.css';
import { useEffect, useState } from 'preact/hooks';
import { account } from '../data/own-account.ts';
import { address, go } from '../shell/address.ts';
import { LazyPart } from '../shell/lazy-part.tsx';
import { Notice } from '../shell/notice.tsx';
import { logTexts } from '../texts/log-texts.ts';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { filterAddress, filterQuery, readFilter } from './chosen-entries.ts';
import { LogFilters } from './log-filters.tsx';
import { LogList } from './log-list.tsx';
import { LogView } from './log-view.ts';

/** The log: new entries on top as they arrive, older ones below without end. */
export function LogsPage() {
  if (!account.value) return <Notice state="busy" title={say(shellTexts.loading)} />;
  if (!account.value.isAdmin) return <Notice state="failed" title={say(shellTexts.adminsOnly)} />;
  return <Log />;
}

const loadChart = async () => (await import('./chart/log-chart.tsx')).LogChart;
const loadSql = async () => (await import('./sql/sql-panel.tsx')).SqlPanel;

/** The filters of the list, as the counts have them. */
function countQuery(filter: ReturnType<typeof readFilter>): string {
  const query = filterQuery(filter);
  if (filter.text) query.set('text', filter.text);
  return query.toString();
}

function Log() {
  const filter = readFilter(address.value.searchParams);
  const key = filterAddress(filter);
  const [view, setView] = useState<LogView>();
  const [isAsked, setAsked] = useState(false);
  useEffect(() => {
    const made = new LogView(readFilter(new URL(key, location.href).searchParams));
    setView(made);
    return () => made.close();
  }, [key]);
  const entries = view?.entries.value;
  const sources = [...new Set(entries?.map(({ src }) => src))].sort();
  const problem = view?.problem.value;
  return (
    <div class="page">
      <div class="toolbar">
        <h1>{say(logTexts.title)}</h1>
        {filter.until === undefined ? (
          <span class="badge" data-live={view?.isLive.value ?? false} role="status">
            {say(view?.isLive.value ? logTexts.live : logTexts.connecting)}
          </span>
        ) : (
          <a class="button" href={filterAddress({ ...filter, since: undefined, until: undefined })} data-page>
            {say(logTexts.backToNow)}
          </a>
        )}
      </div>
      <LogFilters filter={filter} sources={sources} />
      <LazyPart
        load={loadChart}
        props={{
          query: countQuery(filter),
          since: filter.since,
          until: filter.until,
          choose: (since: number, until: number) => go(filterAddress({ ...filter, since, until })),
        }}
      />
      <details
        class="card sql-card"
        onToggle={({ currentTarget: { open } }) => {
          if (open) setAsked(true);
        }}
      >
        <summary>{say(logTexts.sql)}</summary>
        {isAsked && <LazyPart load={loadSql} props={{}} />}
      </details>
      {problem && entries && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
      {view && entries && entries.length > 0 && <LogList view={view} />}
      {entries?.length === 0 && (
        <Notice state="empty" title={say(logTexts.none)}>
          <p>{say(logTexts.noneHint)}</p>
          <a class="button" href="/logs" data-page>
            {say(logTexts.clear)}
          </a>
        </Notice>
      )}
      {!entries && problem && (
        <Notice state="failed" title={say(logTexts.failed)}>
          <p>{problem}</p>
        </Notice>
      )}
      {!entries && !problem && <Notice state="busy" title={say(shellTexts.loading)} />}
    </div>
  );
}
