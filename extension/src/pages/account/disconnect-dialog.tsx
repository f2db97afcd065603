import { Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation } from "urql";
import { DisconnectAccountDocument } from "../../api/generated/graphql";
import { css, FormError } from "../../components";
import { Dialog } from "../../components/dialog";
import { CheckField } from "../../components/fields";
import { useMay } from "../../dashboard/bridge";
import { notify } from "../../dashboard/notify";
import { address, Link } from "../../dashboard/router";
import { useText } from "../../i18n";
import type { Account } from "./account";

interface Props {
  account: Pick<Account, "id" | "name">;
  onClose: () => void;
  onDone: () => void;
}

/** Says what becomes of what, and asks once more where something is still to be sent. */
export function DisconnectDialog({ account, onClose, onDone }: Props) {
  const { t } = useText();
  const maySeeOrders = useMay("MANAGE_ORDERS");
  const [isForced, setForced] = useState(false);
  const [{ data, error, fetching }, disconnect] = useMutation(DisconnectAccountDocument);
  const problem = data?.amazonAccountDisconnect?.errors[0];
  const isUnsent = problem?.code === "UNSENT";
  const onSubmit = async () => {
    const result = await disconnect({ id: account.id, force: isForced });
    if (!result.data?.amazonAccountDisconnect?.account) return;
    void notify("success", t("account.disconnected", { name: account.name }));
    onDone();
  };
  return (
    <Dialog
      title={t("account.disconnectTitle", { name: account.name })}
      action={t("account.disconnect")}
      isBusy={fetching || (isUnsent && !isForced)}
      isDangerous
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError text={error?.message ?? problem?.message} />
      {isUnsent && maySeeOrders && (
        <Link className={css.link} to={address("/outbox", { account: account.id })}>
          {t("account.unsent")}
        </Link>
      )}
      {isUnsent && (
        <CheckField label={t("account.force")} isChecked={isForced} onChange={setForced} />
      )}
      <Text as="p" size={3}>
        {t("account.disconnectOrders")}
      </Text>
      <Text as="p" size={3}>
        {t("account.disconnectOutbox")}
      </Text>
      <Text as="p" size={3}>
        {t("account.disconnectBuyers")}
      </Text>
      <Text as="p" size={3}>
        {t("account.disconnectSecrets")}
      </Text>
    </Dialog>
  );
}
