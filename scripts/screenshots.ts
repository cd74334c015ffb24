// npm run screenshots: the pictures of the documents, taken anew from a local network of its own.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
process.exitCode =
  spawnSync(process.execPath, [join(root, "scripts/browser-tests.ts"), "test/e2e/screenshots.picture.ts"], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, SCREENSHOTS: join(root, "docs/images") },
  }).status ?? 1;
