// Every `.tree` under test/contracts is the specification of one function: this fails when its test file does not have
// exactly the same branches and leaves. Titles are the tree's texts, nested `describe`s are branches, `it`s are leaves.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ARROW = " > ";

/** The paths from root to leaf of a tree drawn with box characters. */
export function leavesOfTree(text: string): string[] {
  const stack: string[] = [];
  const nodes: { path: string; depth: number }[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const drawn = /^(?<prefix>[\s│]*[├└]── )?(?<title>.*)$/u.exec(line)?.groups;
    const depth = drawn?.prefix === undefined ? 0 : drawn.prefix.length / 4;
    const title = drawn?.title?.trim() ?? "";
    if (!Number.isInteger(depth) || depth > stack.length) throw new Error(`badly drawn: ${line}`);
    if (depth > 0 && !/^(when|given|it) /.test(title)) throw new Error(`neither when, given nor it: ${title}`);
    stack.length = depth;
    stack.push(title);
    nodes.push({ path: stack.join(ARROW), depth });
  }
  return nodes.filter((node, i) => node.depth >= (nodes[i + 1]?.depth ?? 0)).map((node) => node.path);
}

/** The same of a formatted test file. A `describe` whose title is computed (a loop over assets) is no branch. */
export function leavesOfTest(text: string): string[] {
  const stack: { title: string; indent: number }[] = [];
  const leaves: string[] = [];
  for (const match of text.matchAll(/^(?<indent> *)(?<kind>describe|it)\((?:(?<title>"(?:[^"\\]|\\.)*")|`)?/gmu)) {
    const { indent = "", kind, title } = match.groups ?? {};
    while (stack.length > 0 && (stack.at(-1)?.indent ?? 0) >= indent.length) stack.pop();
    if (title === undefined) {
      if (kind === "it") throw new Error(`a test with a computed title: ${match[0]}`);
      continue;
    }
    const path = [...stack.map((branch) => branch.title), JSON.parse(title) as string].join(ARROW);
    if (kind === "it") leaves.push(path);
    else stack.push({ title: JSON.parse(title) as string, indent: indent.length });
  }
  return leaves;
}

/** What is wrong between a tree and its test; nothing when they say the same. */
export function differences(tree: string, test: string): string[] {
  const [specified, tested] = [leavesOfTree(tree), leavesOfTest(test)];
  const twice = (list: string[]) => list.filter((path, i) => list.indexOf(path) !== i);
  return [
    ...specified.filter((path) => !path.split(ARROW).at(-1)?.startsWith("it ")).map((path) => `branch without a leaf: ${path}`),
    ...specified.filter((path) => !tested.includes(path)).map((path) => `not tested: ${path}`),
    ...tested.filter((path) => !specified.includes(path)).map((path) => `not in the tree: ${path}`),
    ...twice(specified).map((path) => `twice in the tree: ${path}`),
    ...twice(tested).map((path) => `tested twice: ${path}`),
  ];
}

/** The functions an interface declares; those that a constructor fixes are told by `constructor.tree`. */
export function functionsOf(solidity: string): string[] {
  return [...new Set([...solidity.matchAll(/^ {4}function (\w+)\(/gm)].map((match) => match[1] ?? ""))];
}

function main(root: string): number {
  let [trees, leaves, wrong] = [0, 0, 0];
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).map((file) => join(root, file));
  const report = (file: string, message: string) => {
    wrong++;
    console.error(`${relative(process.cwd(), file)}: ${message}`);
  };
  for (const file of files.filter((name) => name.endsWith(".tree"))) {
    const test = file.replace(/\.tree$/, ".test.ts");
    if (!files.includes(test)) {
      report(file, "has no test file");
      continue;
    }
    const tree = readFileSync(file, "utf8");
    trees++;
    leaves += leavesOfTree(tree).length;
    for (const difference of differences(tree, readFileSync(test, "utf8"))) report(file, difference);
  }
  // Folders that hold a tree hold nothing but trees: an untold test is an untold behaviour.
  const folders = new Set(files.filter((name) => name.endsWith(".tree")).map((name) => join(name, "..")));
  for (const file of files.filter((name) => name.endsWith(".test.ts") && folders.has(join(name, "..")))) {
    if (!files.includes(file.replace(/\.test\.ts$/, ".tree"))) report(file, "has no tree");
  }
  for (const folder of folders) {
    const manual = join(root, "../../contracts/interfaces", `I${basename(folder)}.sol`);
    if (!existsSync(manual)) continue;
    const fixed = join(folder, "constructor.test.ts");
    const told = existsSync(fixed) ? readFileSync(fixed, "utf8") : "";
    for (const name of functionsOf(readFileSync(manual, "utf8"))) {
      if (!files.includes(join(folder, `${name}.tree`)) && !told.includes(`"${name}"`)) report(manual, `${name} has no tree`);
    }
  }
  console.log(`${trees} trees, ${leaves} leaves, ${wrong} differences`);
  return wrong === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv[2] ?? fileURLToPath(new URL("../../test/contracts", import.meta.url)));
