import { Button } from "@saleor/macaw-ui";
import { useMutation } from "urql";
import { type AccountFragment, UpdateAccountDocument } from "../../api/generated/graphql";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";

/** Where an account is: its own page. */
export const accountPath = (id: string) => `/accounts/${encodeURIComponent(id)}`;

type State = Pick<AccountFragment, "id" | "state">;

/** Without good ones there is nothing to pause. */
export const needsCredentials = ({ state }: Pick<State, "state">) =>
  ["NEEDS_REAUTHORIZATION", "DISCONNECTED"].includes(state);

interface Props {
  account: State;
  onChange: () => void;
}

export function PauseButton({ account, onChange }: Props) {
  const { t } = useText();
  const [{ fetching }, update] = useMutation(UpdateAccountDocument);
  if (needsCredentials(account)) return null;
  const isPaused = account.state === "PAUSED";
  const onPause = async () => {
    const { data, error } = await update({
      id: account.id,
      input: { isPaused: !isPaused },
    });
    const message = error?.message ?? data?.amazonAccountUpdate?.errors[0]?.message;
    if (message) void notify("error", message);
    onChange();
  };
  return (
    <Button variant="secondary" size="small" disabled={fetching} onClick={onPause}>
      {isPaused ? t("stores.resume") : t("stores.pause")}
    </Button>
  );
}
