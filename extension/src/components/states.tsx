/** States of orders and of what is told to Amazon, each with its tone. */
import type {
  AmazonAccountState,
  AmazonImportState,
  AmazonOutboxState,
} from "../api/generated/graphql";
import { useText } from "../i18n";
import { useTold } from "../i18n/told";
import { Badge, type Tone } from ".";

const IMPORT: Record<AmazonImportState, Tone> = {
  BLOCKED: "bad",
  IGNORED: "neutral",
  IMPORTED: "good",
  READY: "busy",
  WAITING: "neutral",
};

export function ImportState({ state }: { state: AmazonImportState }) {
  const { of } = useText();
  return <Badge tone={IMPORT[state]}>{of("state", state)}</Badge>;
}

/** Amazon's own codes: what is not known here is neutral, and shown as Amazon says it. */
const STATUS: Record<string, Tone> = {
  CANCELLED: "neutral",
  PARTIALLY_SHIPPED: "busy",
  SHIPPED: "good",
  UNFULFILLABLE: "bad",
  UNSHIPPED: "attention",
};

export const STATUSES = [
  "PENDING_AVAILABILITY",
  "PENDING",
  "UNSHIPPED",
  "PARTIALLY_SHIPPED",
  "SHIPPED",
  "CANCELLED",
  "UNFULFILLABLE",
];

export function Status({ status }: { status: string }) {
  const { of } = useText();
  return <Badge tone={STATUS[status]}>{of("status", status)}</Badge>;
}

const OUTBOX: Record<AmazonOutboxState, Tone> = {
  FAILED: "bad",
  PENDING: "busy",
  SENDING: "busy",
  SUBMITTED: "busy",
  SUCCEEDED: "good",
  SUPERSEDED: "neutral",
  UNKNOWN: "attention",
};

export function OutboxState({ state }: { state: AmazonOutboxState }) {
  const { of } = useText();
  return <Badge tone={OUTBOX[state]}>{of("outbox", state)}</Badge>;
}

/** Why something was not told to Amazon: in short, and in the server's words. */
export function Failure({
  errorCode,
  errorMessage,
}: {
  errorCode?: string | null;
  errorMessage?: string | null;
}) {
  const { problem } = useTold();
  if (!errorMessage) return null;
  const short = problem(errorCode);
  return (
    <>
      {short && <strong>{short}: </strong>}
      <span lang="en">{errorMessage}</span>
    </>
  );
}

const ACCOUNT: Record<AmazonAccountState, Tone> = {
  ACTIVE: "good",
  DISCONNECTED: "neutral",
  NEEDS_REAUTHORIZATION: "bad",
  PAUSED: "attention",
};

export function AccountState({ state }: { state: AmazonAccountState }) {
  const { of } = useText();
  return <Badge tone={ACCOUNT[state]}>{of("account", state)}</Badge>;
}
