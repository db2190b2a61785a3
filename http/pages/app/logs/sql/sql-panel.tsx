import { useEffect, useRef, useState } from 'preact/hooks';
import { RequestFailure } from '../../data/request.ts';
import { logTexts } from '../../texts/log-texts.ts';
import { say } from '../../texts/say.ts';
import { barsOf, runSql, type SqlAnswer } from './sql-answer.ts';
import { SqlBarChart } from './sql-bar-chart.tsx';
import { sqlExamples, sqlViews } from './sql-examples.ts';

/** More rows are in the download. */
const maxShownRows = 500;

/** Questions in SQL, with their answers as a table, a chart and a file. */
export function SqlPanel() {
  const [sql, setSql] = useState(sqlExamples[0]?.sql ?? '');
  const [answer, setAnswer] = useState<{ readonly sql: string; readonly found: SqlAnswer }>();
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const aborter = useRef<AbortController>(undefined);
  useEffect(() => () => aborter.current?.abort(), []);
  const attempt = async (task: (signal: AbortSignal) => Promise<void>) => {
    aborter.current?.abort();
    const own = new AbortController();
    aborter.current = own;
    setBusy(true);
    setProblem(undefined);
    try {
      await task(own.signal);
    } catch (error) {
      if (own.signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      setProblem(error.message);
    }
    setBusy(false);
  };
  const isReady = !isBusy && sql.trim() !== '';
  const run = async () => {
    if (!isReady) return;
    await attempt(async (signal) => {
      setAnswer(undefined);
      const found = (await (await runSql(sql, 'application/json', signal)).json()) as SqlAnswer;
      setAnswer({ sql, found });
    });
  };
  const download = (asked: string) =>
    attempt(async (signal) => {
      const bytes = await (await runSql(asked, 'text/csv', signal)).blob();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(bytes);
      link.download = 'answer.csv';
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
  const bars = answer && barsOf(answer.found);
  return (
    <div class="sql">
      <label>
        {say(logTexts.sqlExample)}
        <select
          value={String(sqlExamples.findIndex((one) => one.sql === sql))}
          onChange={({ currentTarget: { value } }) => setSql(sqlExamples[Number(value)]?.sql ?? sql)}
        >
          <option value="-1">{say(logTexts.sqlOwn)}</option>
          {sqlExamples.map(({ title }, index) => (
            <option key={title.en} value={String(index)}>
              {say(title)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say(logTexts.sqlStatement)}
        <textarea
          rows={7}
          maxLength={10_000}
          spellcheck={false}
          value={sql}
          onInput={({ currentTarget: { value } }) => setSql(value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void run();
          }}
        />
      </label>
      <details>
        <summary>{say(logTexts.sqlColumns)}</summary>
        <dl class="sql-views">
          {Object.entries(sqlViews).map(([view, columns]) => (
            <div key={view}>
              <dt>{view}</dt>
              <dd>{columns}</dd>
            </div>
          ))}
        </dl>
        <p class="quiet">{say(logTexts.sqlTimes)}</p>
      </details>
      <div class="row">
        <button type="button" class="primary" aria-disabled={!isReady} onClick={() => void run()}>
          {say(logTexts.sqlRun)}
        </button>
        {answer && (
          <button type="button" disabled={isBusy} onClick={() => void download(answer.sql)}>
            {say(logTexts.sqlDownload)}
          </button>
        )}
        <span class="quiet" role="status">
          {isBusy && say(logTexts.sqlBusy)}
          {answer && !isBusy && say(logTexts.sqlRows, { count: answer.found.rows.length })}
          {answer?.found.truncated && ` ${say(logTexts.sqlTruncated)}`}
        </span>
      </div>
      {problem && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
      {bars && bars.bars.length > 1 && <SqlBarChart {...bars} />}
      {answer && answer.found.rows.length > 0 && <Table {...answer.found} />}
    </div>
  );
}

function Table({ columns, rows }: SqlAnswer) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled with the keyboard
    <section class="sql-table" tabIndex={0} aria-label={say(logTexts.sqlAnswer)}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, maxShownRows).map((row, index) => (
            <tr key={index}>
              {row.map((cell, at) => (
                <td key={columns[at]?.name} data-number={typeof cell === 'number'}>
                  {cell === null ? <span class="quiet">null</span> : String(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
