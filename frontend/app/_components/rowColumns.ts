export const rowColumns =
  "sm:grid sm:grid-cols-[minmax(0,2.1fr)_minmax(0,1.7fr)_minmax(0,1.5fr)_minmax(0,1.5fr)_4.5rem] sm:items-center sm:gap-x-5";
