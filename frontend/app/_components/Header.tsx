"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { ConnectWallet } from "@/components/chain/ConnectWallet.tsx";
import { NetworkBadge } from "@/components/chain/NetworkBadge.tsx";
import { ThemeToggle } from "@/components/ui/ThemeToggle.tsx";

const pages = [
  { href: "/", name: "Market" },
  { href: "/chat", name: "Chat" },
  { href: "/streams", name: "My streams" },
];

export function Header() {
  const path = usePathname();
  return (
    <header className="border-line border-b bg-surface">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-6 gap-y-1 px-4 py-2 sm:px-6">
        <Link href="/" className="flex h-11 items-center gap-2 font-semibold tracking-tight" aria-label="ClawCompute, market">
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span className="text-[1.05rem]">
            Claw<span className="text-brand">Compute</span>
          </span>
        </Link>
        <nav aria-label="Pages" className="order-last -mx-2 flex w-full gap-1 sm:order-none sm:mx-0 sm:w-auto">
          {pages.map(({ href, name }) => {
            const here = href === "/" ? path === "/" || path.startsWith("/providers") : path.startsWith(href);
            return (
              <Link
                key={href}
                href={href}
                aria-current={here ? "page" : undefined}
                className={`rounded-lg px-3 py-2 text-sm ${here ? "bg-sunken font-medium text-ink" : "text-soft hover:text-ink"}`}
              >
                {name}
              </Link>
            );
          })}
        </nav>
        <div className="ml-auto flex items-center gap-1 sm:gap-2">
          <NetworkBadge />
          <ThemeToggle />
          <ConnectWallet />
        </div>
      </div>
    </header>
  );
}
