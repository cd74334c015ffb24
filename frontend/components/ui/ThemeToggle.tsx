"use client";
import { useEffect, useState } from "react";
import { Button } from "./Button.tsx";
import { MoonIcon, SunIcon } from "./icons.tsx";
import { THEME_COOKIE } from "./theme.ts";

const isDarkNow = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

/** Follows the system until somebody chooses; the choice is a cookie, so that the server's first byte already has it. */
export function ThemeToggle() {
  const [dark, setDark] = useState<boolean>();
  useEffect(() => setDark(isDarkNow()), []);
  const toggle = () => {
    const theme = isDarkNow() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
    document.cookie = `${THEME_COOKIE}=${theme};path=/;max-age=31536000;samesite=lax`;
    setDark(theme === "dark");
    dispatchEvent(new Event("themechange"));
  };
  return (
    <Button look="bare" size="icon" onClick={toggle} aria-label={dark ? "Use the light theme" : "Use the dark theme"}>
      {dark ? <SunIcon className="size-5" /> : <MoonIcon className="size-5" />}
    </Button>
  );
}
