import type { ComponentProps } from "react";

const looks = {
  primary: "bg-brand-fill text-on-brand hover:bg-brand-fill-hover",
  quiet: "border border-line-strong bg-surface text-ink hover:bg-sunken",
  bare: "text-ink hover:bg-sunken",
} as const;
const sizes = { m: "h-10 px-4 text-sm", s: "h-9 px-3 text-sm", icon: "size-10" } as const;

export interface ButtonLook {
  look?: keyof typeof looks;
  size?: keyof typeof sizes;
}

/** The same for a link that looks like a button. */
export const buttonClass = ({ look = "primary", size = "m" }: ButtonLook = {}): string =>
  `inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium transition-colors disabled:cursor-not-allowed disabled:opacity-55 ${looks[look]} ${sizes[size]}`;

export function Button({ look, size, className = "", type = "button", ...rest }: ComponentProps<"button"> & ButtonLook) {
  return <button type={type} className={`${buttonClass({ ...(look && { look }), ...(size && { size }) })} ${className}`} {...rest} />;
}
