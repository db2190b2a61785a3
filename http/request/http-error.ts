/** One kind of failure as a client sees it. */
interface ErrorKind {
  readonly status: number;
  readonly title: string;
  /** The condition under which clients get the error; printed in the README's table. */
  readonly meaning: string;
}

/** Every error that clients can get. Codes are stable: clients may rely on them. */
export const errors = {
  malformed_request: { status: 400, title: 'Malformed request', meaning: 'not HTTP, or not a valid URL' },
  malformed_json: { status: 400, title: 'Malformed JSON', meaning: 'the body is not JSON in UTF-8' },
  invalid_value: {
    status: 400,
    title: 'Invalid value',
    meaning: 'a field or a query parameter is missing or has a wrong value; `pointer` says which',
  },
  login_required: {
    status: 401,
    title: 'Login required',
    meaning: 'the request has neither basic credentials nor the cookie of a session that goes on',
  },
  login_failed: { status: 401, title: 'Login failed', meaning: 'wrong user name or password' },
  admin_required: { status: 403, title: 'Admin required', meaning: 'the account is not an admin' },
  csrf_token_wrong: {
    status: 403,
    title: 'Wrong CSRF token',
    meaning: '`X-CSRF-TOKEN` is missing or is not the one from `/api/account/my-token`',
  },
  origin_refused: {
    status: 403,
    title: 'Origin refused',
    meaning: "a browser sent this from another site's page",
  },
  host_refused: {
    status: 403,
    title: 'Host refused',
    meaning: 'without login, only an IP address or a local host name is answered',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    meaning: 'no such path, account, session, monitor or recording',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'the path exists, but not with this method; `Allow` lists those that do',
  },
  request_timeout: { status: 408, title: 'Request timeout', meaning: 'the request took too long to arrive' },
  conflict: {
    status: 409,
    title: 'Conflict',
    meaning:
      'the user name is taken, the last admin would be gone, a login is sent to a recorder without logins, the recording is being written, a machine is said to be off that is not waited for, a clip would span a change of the picture or the footage of a machine that is away, or the same was changed on another machine at this moment',
  },
  too_large: {
    status: 413,
    title: 'Body too large',
    meaning: 'the body is over 2 MB, or over 16 kB without login',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'the body is not `application/json`',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'Range not satisfiable',
    meaning: 'the `Range` begins after the end; `Content-Range` says the length',
  },
  upgrade_required: {
    status: 426,
    title: 'Upgrade required',
    meaning: 'a WebSocket path was requested without a WebSocket handshake',
  },
  too_many_logins: {
    status: 429,
    title: 'Too many logins',
    meaning: 'logins failed from this address, or too many wait; `Retry-After` says how long to wait',
  },
  headers_too_large: { status: 431, title: 'Headers too large', meaning: 'the headers are over 16 kB' },
  internal: { status: 500, title: 'Internal error', meaning: 'a fault of the server; see the log' },
  storage_failed: {
    status: 500,
    title: 'Storage failed',
    meaning:
      'the disk is full, or cannot be written; nothing was changed, except that the other machines of a cluster may have the change',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    meaning:
      'the part that would answer is starting, restarting or full, or the machine that would answer is away; try again',
  },
  no_majority: {
    status: 503,
    title: 'No majority',
    meaning:
      'less than a majority of the voting machines is there, so that nothing was changed; `detail` says so where that is not known',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errors;

interface ErrorExtras {
  /** JSON pointer to the field, in the body or among the query parameters. */
  readonly pointer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** Further members of the body. [RFC 9457 section 3.2] */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An error that is sent to the client. Its message must hold no secret. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: ErrorCode;
  readonly pointer: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly #members: Readonly<Record<string, unknown>>;

  /** @param detail one sentence for the person who made the request. */
  constructor(code: ErrorCode, detail: string, extras: ErrorExtras = {}) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.code = code;
    this.pointer = extras.pointer;
    this.headers = extras.headers ?? {};
    this.#members = extras.members ?? {};
  }

  get status(): number {
    return errors[this.code].status;
  }

  /** The response body. [RFC 9457 section 3] */
  toJSON(): Problem {
    const { status, title } = errors[this.code];
    const problem = { title, status, detail: this.message, code: this.code, ...this.#members };
    return this.pointer === undefined ? problem : { ...problem, pointer: this.pointer };
  }
}

/** Thrown to send a browser to another of our pages. */
export class Redirect extends Error {
  override readonly name = 'Redirect';
  readonly location: string;

  /** @param location an absolute path, with its query. */
  constructor(location: string) {
    super(`see ${location}`);
    this.location = location;
  }
}

export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly pointer?: string;
}

export const problemType = 'application/problem+json';
