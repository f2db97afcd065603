import { Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation } from "urql";
import {
  type AmazonAddressInput,
  UpdateAddressDocument,
} from "../../api/generated/graphql";
import { byField, css, FormError } from "../../components";
import { Dialog } from "../../components/dialog";
import { TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { type MessageId, useText } from "../../i18n";
import type { Order } from "./order-details";

type Field = Exclude<keyof AmazonAddressInput, "__typename">;

const ROWS: [Field, MessageId][][] = [
  [
    ["firstName", "address.firstName"],
    ["lastName", "address.lastName"],
  ],
  [["companyName", "address.companyName"]],
  [["streetAddress1", "address.streetAddress1"]],
  [["streetAddress2", "address.streetAddress2"]],
  [
    ["postalCode", "address.postalCode"],
    ["city", "address.city"],
  ],
  [
    ["cityArea", "address.cityArea"],
    ["countryArea", "address.countryArea"],
  ],
  [
    ["country", "address.country"],
    ["phone", "address.phone"],
  ],
];
const FIELDS = ROWS.flat().map(([field]) => field);

interface Props {
  order: Order;
  onClose: () => void;
  onDone: () => void;
}

export function AddressDialog({ order, onClose, onDone }: Props) {
  const { t } = useText();
  const [values, setValues] = useState(() => {
    const given = order.shippingAddress;
    return Object.fromEntries(FIELDS.map((field) => [field, given?.[field] ?? ""]));
  });
  const [{ data, error, fetching }, update] = useMutation(UpdateAddressDocument);
  const errors = byField(data?.amazonOrderAddressUpdate?.errors ?? [], FIELDS);
  const onSubmit = async () => {
    const { country = "", ...rest } = values;
    const result = await update({ id: order.id, address: { ...rest, country } });
    if (result.error || result.data?.amazonOrderAddressUpdate?.errors.length) return;
    void notify("success", t("address.saved"));
    onDone();
  };
  return (
    <Dialog
      title={t("address.edit")}
      action={t("common.save")}
      isBusy={fetching}
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <Text as="p" size={3}>
        {t("address.help")}
      </Text>
      <FormError text={error?.message ?? errors[""]} />
      {ROWS.map((row) => (
        <div className={css.pair} key={row[0]?.[0]}>
          {row.map(([field, label]) => (
            <TextField
              key={field}
              label={t(label)}
              value={values[field] ?? ""}
              error={errors[field]}
              onChange={(value) => setValues({ ...values, [field]: value })}
            />
          ))}
        </div>
      ))}
    </Dialog>
  );
}
