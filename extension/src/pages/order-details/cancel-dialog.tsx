import { Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation } from "urql";
import { type AmazonCancelReason, CancelOrderDocument } from "../../api/generated/graphql";
import { FormError } from "../../components";
import { Dialog } from "../../components/dialog";
import { SelectField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { useTold } from "../../i18n/told";
import type { Order } from "./order-details";

const REASONS: AmazonCancelReason[] = [
  "BUYER_CANCELED",
  "NO_INVENTORY",
  "SHIPPING_ADDRESS_UNDELIVERABLE",
  "CUSTOMER_EXCHANGE",
  "PRICING_ERROR",
  "GENERAL_ADJUSTMENT",
];

/** One that Amazon accepted goes on: the order follows within minutes. */
const OVER = ["FAILED", "SUPERSEDED"];

/** As the API decides: unshipped, shipped by the merchant, and not on its way already. */
export function canCancel(
  order: Pick<Order, "fulfilledBy" | "fulfillmentStatus"> & {
    packages: readonly unknown[];
    outboxEntries: readonly Pick<Order["outboxEntries"][number], "kind" | "state">[];
  },
): boolean {
  return (
    order.fulfilledBy === "MERCHANT" &&
    order.fulfillmentStatus === "UNSHIPPED" &&
    order.packages.length === 0 &&
    !order.outboxEntries.some(
      ({ kind, state }) => kind === "CANCEL" && !OVER.includes(state),
    )
  );
}

interface Props {
  order: Order;
  onClose: () => void;
  onDone: () => void;
}

export function CancelDialog({ order, onClose, onDone }: Props) {
  const { t, of } = useText();
  const { refusal } = useTold();
  const [reason, setReason] = useState<AmazonCancelReason | "">(
    order.isCancellationRequested ? "BUYER_CANCELED" : "",
  );
  const [{ data, error, fetching }, cancel] = useMutation(CancelOrderDocument);
  const onSubmit = async () => {
    if (!reason) return;
    const result = await cancel({ id: order.id, reason });
    if (result.error || result.data?.amazonOrderCancel?.errors.length) return;
    void notify("success", t("cancel.queued"));
    onDone();
  };
  return (
    <Dialog
      title={t("cancel.title", { number: order.amazonOrderId })}
      action={t("cancel.action")}
      isBusy={fetching}
      isDangerous
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError
        text={error?.message ?? refusal(data?.amazonOrderCancel?.errors[0]) ?? ""}
      />
      <Text as="p" size={3}>
        {t("cancel.help")}
      </Text>
      <SelectField
        label={t("cancel.reason")}
        help={t("cancel.reasonHelp")}
        required
        value={reason}
        options={[
          ...(reason ? [] : [{ value: "" as const, label: "–" }]),
          ...REASONS.map((value) => ({ value, label: of("reason", value) })),
        ]}
        onChange={setReason}
      />
    </Dialog>
  );
}
