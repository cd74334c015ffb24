import { AppError } from "@clawcompute/lib/errors";
import type { Command } from "commander";

/** One command as a shell has to know it. `path` is empty for the program itself. */
interface Entry {
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly {
    readonly long: string;
    readonly short: string | undefined;
    readonly takesValue: boolean;
    readonly description: string;
  }[];
  readonly children: readonly { readonly name: string; readonly summary: string }[];
}

/** `claw completion`: a script for the shell, written from the command table itself. Throws BAD_REQUEST. */
export function completionScript(shell: string, program: Command): string {
  const entries = entriesOf(program, []);
  switch (shell) {
    case "bash":
      return bash(entries);
    case "zsh":
      return zsh(entries);
    case "fish":
      return fish(entries);
    default:
      throw new AppError("BAD_REQUEST", "shell must be bash, zsh or fish.", {
        param: "shell",
        hint: 'For bash: eval "$(claw completion bash)"',
      });
  }
}

function entriesOf(command: Command, path: readonly string[]): Entry[] {
  const children = command.commands.filter((child) => !isHidden(child));
  const options = command.options.flatMap(({ long, short, required, optional, description }) =>
    long ? [{ long, short: short ?? undefined, takesValue: required || optional, description: plain(description) }] : [],
  );
  const own: Entry = {
    path,
    summary: plain(command.summary() || command.description()),
    options: [...options, { long: "--help", short: "-h", takesValue: false, description: "display help" }],
    children: children.map((child) => ({ name: child.name(), summary: plain(child.summary() || child.description()) })),
  };
  return [own, ...children.flatMap((child) => entriesOf(child, [...path, child.name()]))];
}

const isHidden = (command: Command): boolean => (command as Command & { _hidden?: boolean })._hidden === true;

/** Safe inside single quotes of every shell, and without what `_describe` takes for a separator. */
const plain = (text: string): string =>
  text
    .replace(/[`'"\\$]/g, "")
    .replaceAll(":", " -")
    .replace(/\s+/g, " ")
    .trim();

const key = (path: readonly string[]): string => path.map((name) => ` ${name}`).join("");
const known = (entries: readonly Entry[]): string =>
  entries
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `"${key(path)}"`)
    .join(" | ");
const wordsOf = ({ children, options }: Entry): string =>
  [...children.map(({ name }) => name), ...options.map(({ long }) => long)].join(" ");

function bash(entries: readonly Entry[]): string {
  return `# claw completion for bash: eval "$(claw completion bash)"
_claw() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at="" found="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${known(entries)}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
${entries.map((entry) => `    "${key(entry.path)}") found="${wordsOf(entry)}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$found" -- "$current"))
}
complete -o default -F _claw claw
`;
}

function zsh(entries: readonly Entry[]): string {
  const described = ({ children, options }: Entry) =>
    [
      ...children.map(({ name, summary }) => `'${name}:${summary}'`),
      ...options.map(({ long, description }) => `'${long}:${description}'`),
    ].join(" ");
  return `#compdef claw
# claw completion for zsh: eval "$(claw completion zsh)"
_claw() {
  local at="" word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      (${known(entries)}) at="$at $word" ;;
    esac
  done
  case "$at" in
${entries.map((entry) => `    ("${key(entry.path)}") found=(${described(entry)}) ;;`).join("\n")}
  esac
  _describe 'claw' found || _files
}
compdef _claw claw
`;
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap((entry) => {
    const here = `-n '__claw_at "${key(entry.path)}"'`;
    return [
      ...entry.children.map(({ name, summary }) => `complete -c claw -f ${here} -a ${name} -d '${summary}'`),
      ...entry.options.map(
        ({ long, short, takesValue, description }) =>
          `complete -c claw ${here} -l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ""}${takesValue ? " -r" : ""} -d '${description}'`,
      ),
    ];
  });
  return `# claw completion for fish: claw completion fish | source
function __claw_at --argument-names wanted
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${entries
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => `"${key(path)}"`)
        .join(" ")}
        set at "$at $word"
    end
  end
  test "$at" = "$wanted"
end
${lines.join("\n")}
`;
}
