import type { Metadata } from "next";
import { Activity } from "./_components/Activity.tsx";

export const metadata: Metadata = { title: "Activity" };

export default function Page() {
  return (
    <>
      <h1 className="font-semibold text-3xl tracking-tight">Activity</h1>
      <p className="mt-2 max-w-prose text-pretty text-soft">Everything that the contracts tell, as it happens, newest first.</p>
      <Activity />
    </>
  );
}
