import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect, createServer as createTlsServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../src/logging/logger.ts";
import { ServerTls, type TlsFiles } from "../src/security/tls.ts";
import { type CertificateFiles, createCertificate } from "./certificates.ts";
import { temporaryFolder } from "./server-process.ts";

const silent = createLogger({ level: "silent" });

function filesOf({ cert, key }: CertificateFiles, clientCaFile?: string): TlsFiles {
  return { certFile: cert, keyFile: key, clientCaFile };
}

async function loaded(files: TlsFiles, log = silent, intervalMs?: number): Promise<ServerTls> {
  const tls = await ServerTls.load(files, log, intervalMs);
  onTestFinished(() => tls.close());
  return tls;
}

/** An HTTPS server with these certificates. */
async function httpsServer(tls: ServerTls): Promise<number> {
  const server = createServer({ ...tls.options }, (_, response) => response.end("hello"));
  tls.follow(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A plain TLS server with these certificates, as gRPC's listener is one. */
async function tlsServer(tls: ServerTls): Promise<number> {
  const server = createTlsServer({ ...tls.options, ALPNProtocols: ["h2"] }, (socket) => socket.end("hello"));
  tls.follow(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The name in the certificate that a server shows; rejects when it takes no such client. */
async function nameShown(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["h2", "http/1.1"],
    ...options,
  });
  try {
    await once(socket, "secureConnect");
    const name = socket.getPeerCertificate().subject.CN;
    // In TLS 1.3 a client hears that its certificate is not taken only after its own side of the handshake.
    socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    const closed = once(socket, "close").then(() => Promise.reject(new Error("closed")));
    await Promise.race([once(socket, "data"), closed]);
    return String(name);
  } finally {
    socket.destroy();
  }
}

test("https and TLS show the certificate, and the renewed one once the files changed", async () => {
  const folder = temporaryFolder();
  const files = createCertificate(folder, "first");
  const tls = await loaded(filesOf(files));
  const ports = [await httpsServer(tls), await tlsServer(tls)];
  expect(await Promise.all(ports.map((port) => nameShown(port)))).toEqual(["first", "first"]);
  const renewed = createCertificate(folder, "second");
  copyFileSync(renewed.cert, files.cert);
  copyFileSync(renewed.key, files.key);
  await tls.check();
  expect(await Promise.all(ports.map((port) => nameShown(port)))).toEqual(["second", "second"]);
});

test("notices by itself that a Kubernetes volume swapped its folder", async () => {
  const folder = temporaryFolder();
  const place = (version: string) => {
    mkdirSync(join(folder, version));
    const { cert, key } = createCertificate(folder, version);
    renameSync(cert, join(folder, version, "tls.crt"));
    renameSync(key, join(folder, version, "tls.key"));
    symlinkSync(version, join(folder, "..data.next"));
    renameSync(join(folder, "..data.next"), join(folder, "..data"));
  };
  place("one");
  for (const name of ["tls.crt", "tls.key"]) symlinkSync(join("..data", name), join(folder, name));
  const tls = await loaded(filesOf({ cert: join(folder, "tls.crt"), key: join(folder, "tls.key") }), silent, 20);
  const port = await httpsServer(tls);
  expect(await nameShown(port)).toBe("one");
  place("two");
  await expect.poll(() => nameShown(port)).toBe("two");
});

test("half a renewal changes nothing until the other half is there", async () => {
  const folder = temporaryFolder();
  const lines: string[] = [];
  const files = createCertificate(folder, "first");
  const tls = await loaded(filesOf(files), createLogger({ level: "warn", write: (line) => lines.push(line) }));
  const port = await httpsServer(tls);
  const renewed = createCertificate(folder, "second");
  copyFileSync(renewed.cert, files.cert);
  await tls.check();
  expect(await nameShown(port)).toBe("first");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    message: "TLS certificate changed, but cannot be used: the old one stays",
    reason: `the private key in '${files.key}' is not that of the certificate in '${files.cert}'`,
  });
  copyFileSync(renewed.key, files.key);
  await tls.check();
  expect(await nameShown(port)).toBe("second");
});

test("with an authority for clients only they pass whom it signed, on https and TLS", async () => {
  const folder = temporaryFolder();
  const authority = createCertificate(folder, "authority");
  const client = createCertificate(folder, "client", { issuer: authority });
  const stranger = createCertificate(folder, "stranger");
  const tls = await loaded(filesOf(createCertificate(folder, "server"), authority.cert));
  const as = async ({ cert, key }: CertificateFiles) => ({ cert: await readFile(cert), key: await readFile(key) });
  for (const port of [await httpsServer(tls), await tlsServer(tls)]) {
    expect(await nameShown(port, await as(client))).toBe("server");
    await expect(nameShown(port)).rejects.toThrow(/certificate required|closed|ECONNRESET/i);
    await expect(nameShown(port, await as(stranger))).rejects.toThrow(/alert|closed|ECONNRESET/i);
  }
});

test("does not speak TLS 1.1", async () => {
  const tls = await loaded(filesOf(createCertificate(temporaryFolder(), "server")));
  const ciphers = "DEFAULT:@SECLEVEL=0";
  for (const port of [await httpsServer(tls), await tlsServer(tls)]) {
    expect(await nameShown(port, { maxVersion: "TLSv1.2" })).toBe("server");
    const old = nameShown(port, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers });
    await expect(old).rejects.toThrow(/alert protocol version/i);
  }
});

test("serves an expired certificate, and warns of it", async () => {
  const lines: string[] = [];
  const files = createCertificate(temporaryFolder(), "old", { days: -1 });
  await loaded(filesOf(files), createLogger({ write: (line) => lines.push(line) }));
  const expires = new X509Certificate(await readFile(files.cert)).validToDate.toISOString();
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level: "warn", message: "TLS certificate has expired", expires }),
  ]);
});

test("says which file is missing or wrong", async () => {
  const folder = temporaryFolder({ "text.pem": "hello" });
  const { cert, key } = createCertificate(folder, "own");
  const other = createCertificate(folder, "other");
  const text = join(folder, "text.pem");
  const locked = join(folder, "locked.key");
  spawnSync("openssl", ["pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:secret"]);
  const missing = join(folder, "missing");
  const cases: [TlsFiles, string][] = [
    [filesOf({ cert: missing, key }), `TLS certificate: '${missing}' cannot be read: ENOENT`],
    [filesOf({ cert, key: missing }), `TLS certificate: '${missing}' cannot be read: ENOENT`],
    [filesOf({ cert, key }, missing), `TLS certificate: '${missing}' cannot be read: ENOENT`],
    [filesOf({ cert: text, key }), `'${text}' holds no certificate in PEM form`],
    [filesOf({ cert, key: text }), `'${text}' holds no private key in PEM form without a passphrase`],
    [filesOf({ cert, key: locked }), `'${locked}' holds no private key in PEM form without a passphrase`],
    [filesOf({ cert, key }, text), `'${text}' holds no certificate in PEM form`],
    [filesOf({ cert, key: other.key }), `private key in '${other.key}' is not that of the certificate in '${cert}'`],
  ];
  for (const [files, message] of cases) await expect(ServerTls.load(files, silent)).rejects.toThrow(message);
  rmSync(text);
  const broken = join(folder, "chain.crt");
  writeFileSync(
    broken,
    `${await readFile(cert, "utf8")}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  );
  await expect(ServerTls.load(filesOf({ cert: broken, key }), silent)).rejects.toThrow(`'${broken}' cannot be used`);
});
