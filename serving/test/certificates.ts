import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** PEM files of one certificate. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Who signs it; by default it signs itself. */
  readonly issuer?: CertificateFiles;
  /** Days until it expires; negative: it has. */
  readonly days?: number;
}

/** Makes a certificate for `localhost` and 127.0.0.1 with OpenSSL: `NAME.crt` and `NAME.key` in the folder. */
export function createCertificate(folder: string, name: string, options: CertificateOptions = {}): CertificateFiles {
  const { issuer, days = 2 } = options;
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const end = new Date(Date.now() + days * 86_400_000);
  const start = new Date(Math.min(Date.now(), end.getTime()) - 86_400_000);
  openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", files.key);
  const request = join(folder, `${name}.csr`);
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  openssl("req", "-new", "-key", files.key, ...subject, "-out", request);
  const database = { index: join(folder, `${name}.index`), config: join(folder, `${name}.cnf`) };
  writeFileSync(database.index, "");
  writeFileSync(
    database.config,
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${database.index}\nnew_certs_dir=${folder}\nrand_serial=yes\n` +
      "default_md=sha256\npolicy=any\ncopy_extensions=copy\nx509_extensions=extensions\nunique_subject=no\n" +
      "[any]\ncommonName=supplied\n[extensions]\nbasicConstraints=CA:TRUE\n",
  );
  const signer =
    issuer === undefined ? ["-selfsign", "-keyfile", files.key] : ["-cert", issuer.cert, "-keyfile", issuer.key];
  const times = ["-startdate", asn1(start), "-enddate", asn1(end)];
  openssl(
    "ca",
    "-batch",
    "-notext",
    "-config",
    database.config,
    ...signer,
    ...times,
    "-in",
    request,
    "-out",
    files.cert,
  );
  return files;
}

/** YYMMDDHHMMSSZ. */
function asn1(date: Date): string {
  return `${date
    .toISOString()
    .replace(/\.\d+|[-:T]/g, "")
    .slice(2)}`;
}

function openssl(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${error?.message ?? stderr}`);
}
