// Runs the dashboard's tests in a real browser. Chromium comes from the machine; on Debian, as root, it is installed when missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { installPackage } from "./installPackage.ts";

const root = join(import.meta.dirname, "..");
const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const chromium = () => [process.env.CHROMIUM_PATH, ...places].find((path) => path && existsSync(path));
const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } }).status ?? 1;

if (!chromium()) installPackage("chromium");
const browser = chromium();
if (!browser) {
  console.error("No Chromium or Chrome was found. Install one, or set CHROMIUM_PATH to its program file, and run the same command again.");
  process.exit(1);
}
process.exitCode = run(process.execPath, [join(root, "node_modules/@playwright/test/cli.js"), "test", ...process.argv.slice(2)], {
  CHROMIUM_PATH: browser,
});
