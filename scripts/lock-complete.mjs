// Adds to package-lock.json the platform packages that this registry did not serve.
// The entries have no integrity: a registry that has the package serves it by name and version.
import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2] ?? "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));
const OS = { mac: "darwin", win: "win32", darwin: "darwin", linux: "linux", win32: "win32", freebsd: "freebsd", android: "android" };
const CPU = { arm64: "arm64", x64: "x64", amd64: "x64", ia32: "ia32", riscv64: "riscv64" };
let n = 0;
for (const [_where, p] of Object.entries(lock.packages)) {
  for (const [dep, version] of Object.entries(p.optionalDependencies ?? {})) {
    const key = `node_modules/${dep}`;
    if (lock.packages[key] || !/^\d/.test(version)) continue;
    const words = dep.split(/[-/]/);
    const os = words.map((w) => OS[w]).find(Boolean),
      cpu = words.map((w) => CPU[w]).find(Boolean);
    if (!os || !cpu) continue;
    lock.packages[key] = {
      version,
      cpu: [cpu],
      ...(p.dev ? { dev: true } : {}),
      ...(p.license ? { license: p.license } : {}),
      optional: true,
      os: [os],
      ...(p.engines ? { engines: p.engines } : {}),
    };
    n++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${n} added`);
