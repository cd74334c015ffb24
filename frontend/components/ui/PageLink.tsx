"use client";
import Link from "next/link";
import { type ComponentProps, useState } from "react";

/** A link to a page that is fetched when pointer, finger or keyboard come to it, and not already when it comes into sight. */
export function PageLink(props: ComponentProps<typeof Link>) {
  const [isNear, setIsNear] = useState(false);
  const come = () => setIsNear(true);
  return <Link {...props} prefetch={isNear ? null : false} onPointerEnter={come} onFocus={come} />;
}
