import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useClient, useMutation, useQuery } from "urql";
import {
  BlockersDocument,
  type BlockersQuery,
  DeleteSkuMappingDocument,
  SetSkuMappingDocument,
  SkuMappingsDocument,
  type SkuMappingsQuery,
  VariantBySkuDocument,
} from "../../api/generated/graphql";
import { byField, Card, css, FormError } from "../../components";
import { Rows } from "../../components/answer";
import { Dialog } from "../../components/dialog";
import { TextField } from "../../components/fields";
import { useMay } from "../../dashboard/bridge";
import { notify } from "../../dashboard/notify";
import { address, Link } from "../../dashboard/router";
import { useText } from "../../i18n";
import { SkuRule } from "./sku-rule";
import { AccountSettingsPage } from "./tabs";

type Mapping = SkuMappingsQuery["amazonSkuMappings"][number];
type Cause = BlockersQuery["amazonBlockers"][number];

/** Which variants of the shop the seller's SKUs are, where they differ. */
export default function Skus({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  return (
    <AccountSettingsPage title={t("skus.title")} params={params}>
      {(accountId) => <OfAccount accountId={accountId} sku={params.get("sku") ?? ""} />}
    </AccountSettingsPage>
  );
}

function OfAccount({ accountId, sku }: { accountId: string; sku: string }) {
  const { t, number } = useText();
  const [answer, refetch] = useQuery({
    query: SkuMappingsDocument,
    variables: { accountId },
  });
  const [removing, setRemoving] = useState<Mapping>();
  const again = () => refetch({ requestPolicy: "network-only" });
  const skus = useUnknownSkus(accountId);
  return (
    <>
      {skus.length > 0 && <Unknown accountId={accountId} causes={skus} />}
      <Card title={t("skus.new")}>
        <NewMapping
          key={`${accountId} ${sku}`}
          accountId={accountId}
          sku={sku}
          onDone={again}
        />
      </Card>
      <SkuRule
        key={accountId}
        accountId={accountId}
        examples={skus.map(({ subject }) => subject)}
      />
      <Card title={t("skus.title")} isFlush>
        <Rows
          answer={answer}
          rows={answer.data?.amazonSkuMappings}
          onRetry={again}
          none={{ title: t("skus.none"), help: t("skus.noneHelp") }}
        >
          {(mappings) => (
            <table className={css.table}>
              <caption>{t("skus.title")}</caption>
              <thead>
                <tr>
                  <th scope="col">{t("item.sku")}</th>
                  <th scope="col">{t("skus.variant")}</th>
                  <th scope="col" className={css.end}>
                    {t("skus.units")}
                  </th>
                  <th scope="col">
                    <span className={css.hidden}>{t("blocked.action")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {mappings.map((mapping) => (
                  <tr key={mapping.id}>
                    <th scope="row">{mapping.sellerSku}</th>
                    <td>{mapping.variantSku ?? mapping.variantId}</td>
                    <td className={css.end}>{number(mapping.units)}</td>
                    <td className={css.end}>
                      <Button
                        variant="tertiary"
                        size="small"
                        aria-label={t("skus.deleteOf", { sku: mapping.sellerSku })}
                        onClick={() => setRemoving(mapping)}
                      >
                        {t("common.delete")}
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Rows>
      </Card>
      {removing && (
        <Remove
          mapping={removing}
          onClose={() => setRemoving(undefined)}
          onDone={() => {
            setRemoving(undefined);
            again();
          }}
        />
      )}
    </>
  );
}

/** What orders of the account wait for. */
function useUnknownSkus(accountId: string): Cause[] {
  const maySee = useMay("MANAGE_ORDERS");
  const [{ data }] = useQuery({ query: BlockersDocument, pause: !maySee });
  return (data?.amazonBlockers ?? []).filter(
    (cause) =>
      cause.code === "UNKNOWN_SKU" && cause.accountId === accountId && cause.subject,
  );
}

function Unknown({ accountId, causes }: { accountId: string; causes: Cause[] }) {
  const { t } = useText();
  return (
    <Card title={t("skus.unknown")}>
      <ul className={css.inlineList}>
        {causes.map(({ subject, orderCount, marketplaceId }) => (
          <li key={`${marketplaceId} ${subject}`}>
            <Link
              className={css.link}
              to={address("/settings/skus", { account: accountId, sku: subject })}
            >
              {t("skus.waiting", { sku: subject, count: orderCount })}
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

interface NewProps {
  accountId: string;
  sku: string;
  onDone: () => void;
}

function NewMapping({ accountId, sku, onDone }: NewProps) {
  const { t } = useText();
  const client = useClient();
  const [values, setValues] = useState({ sellerSku: sku, variantSku: "", units: "1" });
  const [{ data, error, fetching }, save] = useMutation(SetSkuMappingDocument);
  const [problem, setProblem] = useState<string>();
  const errors = byField(data?.amazonSkuMappingSet?.errors ?? [], [
    "sellerSku",
    "variantId",
    "units",
  ]);
  const set = (changes: Partial<typeof values>) => setValues({ ...values, ...changes });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setProblem(undefined);
    const wanted = values.variantSku.trim();
    const found = await client
      .query(VariantBySkuDocument, { sku: wanted }, { requestPolicy: "network-only" })
      .toPromise();
    const variant = found.data?.productVariant;
    if (!variant) {
      setProblem(found.error?.message ?? t("skus.noVariant", { sku: wanted }));
      return;
    }
    const result = await save({
      accountId,
      input: [
        {
          sellerSku: values.sellerSku.trim(),
          variantId: variant.id,
          units: Number(values.units),
        },
      ],
    });
    if (result.error || result.data?.amazonSkuMappingSet?.errors.length) return;
    void notify("success", t("skus.saved"));
    setValues({ sellerSku: "", variantSku: "", units: "1" });
    onDone();
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <Text as="p" size={3} className={css.muted}>
        {t("skus.help")}
      </Text>
      <FormError text={error?.message ?? errors[""]} />
      <div className={css.pair}>
        <TextField
          label={t("item.sku")}
          required
          value={values.sellerSku}
          onChange={(sellerSku) => set({ sellerSku })}
          error={errors.sellerSku}
        />
        <TextField
          label={t("skus.variant")}
          required
          value={values.variantSku}
          onChange={(variantSku) => set({ variantSku })}
          error={problem ?? errors.variantId}
        />
        <TextField
          label={t("skus.units")}
          type="number"
          min={1}
          required
          value={values.units}
          onChange={(units) => set({ units })}
          error={errors.units}
          help={t("skus.unitsHelp")}
        />
      </div>
      <div>
        <Button type="submit" disabled={fetching}>
          {t("skus.map")}
        </Button>
      </div>
    </form>
  );
}

interface RemoveProps {
  mapping: Mapping;
  onClose: () => void;
  onDone: () => void;
}

function Remove({ mapping, onClose, onDone }: RemoveProps) {
  const { t } = useText();
  const [{ data, error, fetching }, remove] = useMutation(DeleteSkuMappingDocument);
  const onSubmit = async () => {
    const result = await remove({ ids: [mapping.id] });
    if (result.error || result.data?.amazonSkuMappingDelete?.errors.length) return;
    onDone();
  };
  return (
    <Dialog
      title={t("skus.deleteOf", { sku: mapping.sellerSku })}
      action={t("common.delete")}
      isBusy={fetching}
      isDangerous
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError
        text={error?.message ?? data?.amazonSkuMappingDelete?.errors[0]?.message ?? ""}
      />
      <Text as="p" size={3}>
        {t("skus.deleteHelp")}
      </Text>
    </Dialog>
  );
}
