import { chmod, rename, writeFile } from "node:fs/promises";
import { AppError } from "@clawcompute/lib/errors";

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  /** Left blank, for the operator to fill in. */
  readonly blanks: readonly { readonly name: string; readonly note: string }[];
}

/** The text of an env file as Node's --env-file reads it. Throws BAD_REQUEST for values that cannot stand in one. */
export function renderEnvFile({ values, blanks }: EnvFile): string {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quoted(name, value)}`);
  const open = blanks.flatMap(({ name, note }) => [`# ${note}`, `# ${name}=`]);
  return [
    "# A ClawCompute provider, written by `claw provider setup`. Only its owner may read this file (mode 0600).",
    "# .env.example explains every variable.",
    ...lines,
    "",
    "# Setup asks for no key and makes none. What is needed goes here by your own hand; take the # away.",
    ...open,
    "",
  ].join("\n");
}

/** Writes it for the owner's eyes only. An existing file is kept as `<path>.before-setup` when `replace`, else refused. */
export async function writeEnvFile(path: string, text: string, replace: boolean): Promise<void> {
  if (replace) {
    await rename(path, `${path}.before-setup`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw unwritable(path, error);
    });
  }
  try {
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
    await chmod(path, 0o600);
  } catch (cause) {
    throw unwritable(path, cause as NodeJS.ErrnoException);
  }
}

function quoted(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f"`$\\]/.test(value)) {
    throw new AppError("BAD_REQUEST", `The value of ${name} holds a character that an env file cannot.`, { param: name });
  }
  return /[\s#'=]/.test(value) ? `"${value}"` : value;
}

function unwritable(path: string, cause: NodeJS.ErrnoException): AppError {
  if (cause.code === "EEXIST") {
    return new AppError("BAD_REQUEST", `${path} exists already.`, {
      param: "out",
      hint: "Name another file with --out, or add --force: the old one is kept beside it.",
      cause,
    });
  }
  return new AppError("BAD_REQUEST", `${path} cannot be written (${cause.code ?? "unknown"}).`, { param: "out", cause });
}
