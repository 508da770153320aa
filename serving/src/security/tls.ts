import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { SettingsError } from "../config/error.ts";
import type { Logger } from "../logging/logger.ts";
import { WatchedFiles } from "./watched-files.ts";

/** PEM files. */
export interface TlsFiles {
  /** The certificate, then those of the authorities between it and the root. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities that sign clients' certificates; given: clients must have one (mTLS). */
  readonly clientCaFile: string | undefined;
}

/** Options that `tls`, `https` and `http2` servers take alike. */
export interface TlsOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: "TLSv1.2";
}

/** A server whose certificate can be changed while it listens. */
export interface SecureServer {
  setSecureContext(options: TlsOptions): void;
}

/** The server's side of TLS; certificates that are renewed on disk are taken up without a restart. */
export class ServerTls {
  readonly #files: WatchedFiles<TlsOptions>;

  private constructor(files: WatchedFiles<TlsOptions>) {
    this.#files = files;
  }

  /**
   * @param intervalMs how often the files are looked at
   * @throws SettingsError when a file cannot be read, or key and certificate do not belong together
   */
  static async load(files: TlsFiles, log: Logger, intervalMs?: number): Promise<ServerTls> {
    const { certFile, keyFile, clientCaFile } = files;
    const watched = {
      paths: [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])],
      subject: "TLS certificate",
      parse: (contents: readonly Buffer[]) => parse(files, contents, log),
    };
    return new ServerTls(await WatchedFiles.open(watched, log, intervalMs));
  }

  /** For a server that is made now. */
  get options(): TlsOptions {
    return this.#files.value;
  }

  /** Keeps a server's certificate up to date. Connections that are open stay as they are. */
  follow(server: SecureServer): void {
    this.#files.onChange((options) => server.setSecureContext(options));
  }

  /** Looks at the files now. */
  check(): Promise<void> {
    return this.#files.check();
  }

  close(): void {
    this.#files.close();
  }
}

function parse(files: TlsFiles, contents: readonly Buffer[], log: Logger): TlsOptions {
  const [cert = Buffer.alloc(0), key = Buffer.alloc(0), ca] = contents;
  const certificate = parseCertificate(files.certFile, cert);
  if (!certificate.checkPrivateKey(parseKey(files.keyFile, key))) {
    throw new SettingsError(
      `the private key in '${files.keyFile}' is not that of the certificate in '${files.certFile}'`,
    );
  }
  if (ca !== undefined && files.clientCaFile !== undefined) parseCertificate(files.clientCaFile, ca);
  const isMutual = ca !== undefined;
  const options: TlsOptions = {
    cert,
    key,
    ...(isMutual ? { ca } : {}),
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
    minVersion: "TLSv1.2",
  };
  try {
    // What only OpenSSL objects to: a key too weak, a broken certificate further down the chain.
    createSecureContext(options);
  } catch (error) {
    throw new SettingsError(`the certificate in '${files.certFile}' cannot be used: ${messageOf(error)}`);
  }
  const expires = certificate.validToDate.toISOString();
  if (certificate.validToDate.getTime() < Date.now()) log.warn("TLS certificate has expired", { expires });
  else log.info("TLS certificate loaded", { subject: oneLine(certificate.subject), expires });
  return options;
}

function parseCertificate(path: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new SettingsError(`'${path}' holds no certificate in PEM form: ${messageOf(error)}`);
  }
}

function parseKey(path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new SettingsError(`'${path}' holds no private key in PEM form without a passphrase: ${messageOf(error)}`);
  }
}

/** Node gives one line for each part; a certificate that names hosts only has none at all. */
function oneLine(subject: string | undefined): string {
  return (subject ?? "").replaceAll("\n", ", ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
