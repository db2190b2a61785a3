import { invalidStatement } from '../../base/store-error.ts';
import { SqlCost } from './sql-cost.ts';
import { type Scope, SqlSize } from './sql-size.ts';

/**
 * The allow-list of users' SQL statements. The parse tree from DuckDB's own parser may contain only these nodes, functions,
 * types and tables; everything else is refused.
 *
 * The list omits functions that read the system, generate rows, or make a text many times longer than its parts. The last
 * kind matters because DuckDB's memory limit does not count the texts that a statement is working on. The rest has a time
 * limit per row, see `sql-cost.ts`.
 */

const words = (text: string) => new Set(text.trim().split(/\s+/));

const views = words('logs events recordings deliveries objects states');

/** Queries, tables and modifiers of a query's result, by their `type`. */
const nodes = words(`
  SELECT_NODE SET_OPERATION_NODE
  BASE_TABLE JOIN SUBQUERY EMPTY EXPRESSION_LIST
  ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER
  ORDER_DEFAULT ASCENDING DESCENDING
`);

/** Expressions, by their `class`. */
const expressions = words(`
  BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR STAR SUBQUERY WINDOW
`);

const operators = words(`
  OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_NULLIF COMPARE_IN COMPARE_NOT_IN
`);

const types = words(`
  BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE DECIMAL VARCHAR
  DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS INTERVAL
`).add('TIMESTAMP WITH TIME ZONE');

const functions = words(`
  + - * / // % ** ^ & | << >> ~ || ~~ !~~ ~~* !~~* ~~~ ^@
  count count_star count_if countif sum avg mean min max first last any_value arg_min arg_max min_by max_by bool_and
  bool_or median quantile quantile_cont quantile_disc approx_quantile approx_count_distinct stddev stddev_pop
  stddev_samp variance var_pop var_samp corr
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  abs ceil ceiling floor round trunc sign sqrt power pow exp ln log log2 log10 greatest least mod isnan isfinite
  list_value length strlen lower upper trim ltrim rtrim left right substr substring starts_with ends_with prefix suffix contains
  instr strpos position split_part regexp_matches regexp_full_match regexp_extract like_escape not_like_escape
  ilike_escape not_ilike_escape concat concat_ws md5 hash
  make_timestamp make_timestamp_ms timezone epoch epoch_ms epoch_us epoch_ns to_timestamp strftime strptime try_strptime
  date_trunc datetrunc date_part datepart date_diff datediff date_add date_sub time_bucket age now today
  get_current_timestamp current_date current_timestamp year quarter month week day hour minute second millisecond
  microsecond dayofweek isodow dayofmonth dayofyear weekofyear dayname monthname to_years to_months to_weeks to_days
  to_hours to_minutes to_seconds to_milliseconds to_microseconds
`);

/** Names that DuckDB takes for a function if there is no such column. */
const disguised = words('current_catalog current_role current_schema current_user session_user user');

const maxLength = 10_000;

/** One object of the parse tree. */
type Node = Readonly<Record<string, unknown>>;

/** Refuses the statement because of a part of it. */
function refuse(what: string): never {
  throw invalidStatement(`${what} cannot be used here`);
}

/** @throws {StoreError} `invalid` if the text must not even be parsed. */
export function checkText(sql: string): void {
  if (sql.length > maxLength) {
    throw invalidStatement(`expected at most ${maxLength} characters`);
  }
  // Parsers differ on whether the text ends at a NUL.
  if (sql.includes('\0')) refuse('a NUL character');
}

/**
 * @param serialized the result of `json_serialize_sql` for the statement.
 * @throws {StoreError} `invalid`, with the reason.
 */
export function checkTree(serialized: string): void {
  let tree: Node;
  try {
    tree = JSON.parse(serialized) as Node;
  } catch {
    // DuckDB writes 1e400 as Infinity, which is no JSON.
    throw invalidStatement('a number that is too large cannot be used here');
  }
  if (tree['error'] === true) {
    const [message = ''] = String(tree['error_message']).split('\n', 1);
    const text =
      tree['error_type'] === 'not implemented' ? 'only one SELECT statement can be used here' : message;
    throw invalidStatement(text);
  }
  const statements = tree['statements'];
  if (!Array.isArray(statements) || statements.length !== 1) refuse('more or less than one statement');
  const walk = new Walk();
  walk.visit(statements[0], new Map());
  walk.cost.check();
  walk.size.check();
}

class Walk {
  readonly cost = new SqlCost();
  readonly size = new SqlSize();

  visit(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) for (const item of value) this.visit(item, scope);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const node = value as Node;
    const inner = 'cte_map' in node ? this.#named(node['cte_map'], scope) : scope;
    this.#check(node, inner);
    for (const [key, member] of Object.entries(node)) {
      // A constant is only data, and a type has been checked already.
      if (key === 'cte_map' || key === 'cast_type' || (key === 'value' && node['class'] === 'CONSTANT'))
        continue;
      this.visit(member, inner);
    }
  }

  /** Each expression sees those before it, and the query sees all. None sees itself, which would be a recursion. */
  #named(map: unknown, scope: Scope): Scope {
    const seen = new Map(scope);
    for (const { key, value } of (map as { map: { key: string; value: Node }[] }).map) {
      seen.set(
        key.toLowerCase(),
        this.size.ofPart(() => this.visit(value, seen)),
      );
    }
    return seen;
  }

  #check(node: Node, scope: Scope): void {
    const { class: kind, type } = node as { class?: unknown; type?: unknown };
    if (kind !== undefined) this.#checkExpression(node, String(kind), String(type));
    // Parts without a name, such as the branches of a CASE or the size of a sample, have no type either.
    else if (typeof type === 'string' && !nodes.has(type)) refuse(type.toLowerCase().replaceAll('_', ' '));
    if (kind === 'CONSTANT') this.cost.addLiteral((node['value'] as Node)['value']);
    if ('table_name' in node && type === 'BASE_TABLE') {
      checkTable(node, scope);
      this.size.addTable(scope.get(String(node['table_name']).toLowerCase()));
    }
    if (Array.isArray(node['select_list'])) this.size.addColumns(node['select_list'] as Node[]);
    if ('function_name' in node) this.#checkFunction(node);
  }

  #checkExpression(node: Node, kind: string, type: string): void {
    if (!expressions.has(kind)) refuse(kind.toLowerCase().replaceAll('_', ' '));
    if (kind === 'OPERATOR' && !operators.has(type)) refuse(type.toLowerCase().replaceAll('_', ' '));
    if (kind === 'CAST') checkType(node['cast_type'] as Node);
    const names = kind === 'COLUMN_REF' ? (node['column_names'] as string[]) : [];
    const [only = ''] = names;
    if (names.length === 1 && disguised.has(only.toLowerCase())) refuse(only);
  }

  #checkFunction(node: Node): void {
    const name = String(node['function_name']).toLowerCase();
    const { schema, catalog, children } = node as { schema?: unknown; catalog?: unknown; children?: unknown };
    if (!functions.has(name)) refuse(`the function ${name}`);
    if ((schema !== '' && schema !== 'main') || catalog !== '') refuse(`a function of ${String(schema)}`);
    this.cost.addFunction(name, Array.isArray(children) ? (children as Node[]) : []);
  }
}

function checkTable(node: Node, scope: Scope): void {
  const name = String(node['table_name']).toLowerCase();
  if (node['schema_name'] !== '' || node['catalog_name'] !== '' || (!views.has(name) && !scope.has(name))) {
    throw invalidStatement(
      `unknown table "${String(node['table_name'])}"; available: ${[...views].join(', ')}`,
    );
  }
  if (node['at_clause']) refuse('AT');
}

function checkType(type: Node): void {
  const id = String(type['id']);
  if (!types.has(id)) refuse(`the type ${id}`);
}
