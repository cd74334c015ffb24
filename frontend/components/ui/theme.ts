/** "light" or "dark" when somebody chose; absent: as the system is. */
export const THEME_COOKIE = "theme";
