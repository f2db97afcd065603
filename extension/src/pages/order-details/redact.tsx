import { Button, Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation } from "urql";
import { RedactOrderDocument } from "../../api/generated/graphql";
import { css, FormError } from "../../components";
import { Dialog } from "../../components/dialog";
import { CheckField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import type { Order } from "./order-details";

interface Props {
  order: Pick<Order, "id" | "amazonOrderId">;
  onChange: () => void;
}

/** Has what is known of the buyer deleted at once, as a buyer may ask. */
export function Redact({ order, onChange }: Props) {
  const { t } = useText();
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button variant="tertiary" size="small" onClick={() => setAsking(true)}>
        {t("redact.action")}
      </Button>
      {isAsking && (
        <Sure
          order={order}
          onClose={() => setAsking(false)}
          onDone={() => {
            setAsking(false);
            onChange();
          }}
        />
      )}
    </>
  );
}

interface SureProps {
  order: Props["order"];
  onClose: () => void;
  onDone: () => void;
}

function Sure({ order, onClose, onDone }: SureProps) {
  const { t } = useText();
  const [isForced, setForced] = useState(false);
  const [{ data, error, fetching }, redact] = useMutation(RedactOrderDocument);
  const problem = data?.amazonOrderRedact?.errors[0];
  const isToBeShipped = problem?.code === "NOT_SHIPPED";
  const onSubmit = async () => {
    const result = await redact({ id: order.id, force: isForced });
    if (!result.data?.amazonOrderRedact?.amazonOrder) return;
    void notify("success", t("redact.done"));
    onDone();
  };
  return (
    <Dialog
      title={t("redact.title", { number: order.amazonOrderId })}
      action={t("redact.action")}
      isBusy={fetching || (isToBeShipped && !isForced)}
      isDangerous
      onClose={onClose}
      onSubmit={onSubmit}
    >
      {isToBeShipped ? (
        <>
          <FormError text={t("redact.toBeShipped")} />
          <CheckField label={t("redact.force")} isChecked={isForced} onChange={setForced} />
        </>
      ) : (
        <FormError text={error?.message ?? problem?.message} />
      )}
      <Text as="p" size={3}>
        {t("redact.help")}
      </Text>
      <Text as="p" size={3} className={css.muted}>
        {t("redact.stays")}
      </Text>
    </Dialog>
  );
}
