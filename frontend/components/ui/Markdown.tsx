"use client";
import { isValidElement, memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CopyButton } from "./CopyButton.tsx";
import { ExternalIcon, ImageOffIcon } from "./icons.tsx";

/**
 * Markdown that a stranger's model wrote. HTML in it stays text, nothing is loaded from anywhere, and a link shows where it leads, since
 * its words may say otherwise.
 */
export default memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      <ReactMarkdown remarkPlugins={[remarkGfm]} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  );
});

const components: Components = {
  a: ({ href = "", children }) => {
    const host = hostOf(href);
    if (!host) return <span>{children}</span>;
    return (
      <a href={href} target="_blank" rel="noreferrer noopener nofollow ugc" title={href}>
        {children}
        <span className="text-soft text-xs no-underline"> ({host})</span>
        <ExternalIcon className="ml-0.5 inline size-3 align-baseline" />
      </a>
    );
  },
  img: ({ src, alt }) => (
    <span className="inline-flex items-center gap-1.5 rounded-lg bg-sunken px-2 py-1 text-soft text-xs">
      <ImageOffIcon className="size-3.5" />
      Image not loaded{alt ? `: ${alt}` : ""}
      {typeof src === "string" && hostOf(src) ? ` (${hostOf(src)})` : ""}
    </span>
  ),
  pre: ({ children }) => <Code>{children}</Code>,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="overflow-x-auto" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </section>
  ),
};

function Code({ children }: { children?: ReactNode }) {
  const { className = "", children: code } = isValidElement<{ className?: string; children?: ReactNode }>(children) ? children.props : {};
  const language = /language-([\w+-]{1,20})/.exec(className)?.[1];
  const text = String(code ?? "").replace(/\n$/, "");
  return (
    <div className="not-prose my-4 overflow-hidden rounded-xl border border-line bg-sunken">
      <div className="flex items-center justify-between border-line border-b py-0.5 pr-1 pl-3 text-soft text-xs">
        <span className="font-mono">{language ?? "text"}</span>
        <CopyButton text={text} label="Copy code" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre className="overflow-x-auto p-3 font-mono text-[0.8125rem] leading-relaxed" tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

function hostOf(href: string): string | undefined {
  const url = URL.canParse(href) ? new URL(href) : undefined;
  return url && ["http:", "https:"].includes(url.protocol) ? url.host : undefined;
}
