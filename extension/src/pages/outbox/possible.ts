import type { OutboxRowFragment } from "../../api/generated/graphql";

type Entry = Pick<OutboxRowFragment, "kind" | "state">;

/** Those that failed are asked for anew: the shop has gone on since. */
const ASKED_ANEW = ["CANCEL", "REFUND"];

/** As the API decides. */
export const canRetry = ({ kind, state }: Entry) =>
  ["PENDING", "UNKNOWN"].includes(state) ||
  (state === "FAILED" && !ASKED_ANEW.includes(kind));

export const canDiscard = ({ state }: Entry) => state === "PENDING";
