/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says; its key is a new one, of P-256. */
export interface CertificateOrder {
  /** The common name of its subject. */
  readonly name: string;
  /** The names and addresses that it bears. */
  readonly hosts: readonly string[];
  /** Whether a client shows it as well as a server. */
  readonly isClient: boolean;
  /** Unix time in milliseconds. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Signs it, and is valid for as long; without one it signs itself. The keys are PEM texts. */
  readonly authority?: {
    readonly name: string;
    readonly keyPair: { readonly privateKey: string; readonly publicKey: string };
  };
}

export interface CertificateReport extends Certificate {
  /** The certificate of the authority, if there is one: a PEM text. */
  readonly ca: string | undefined;
}
