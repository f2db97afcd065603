import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type AmazonMarketplaceUpdateInput,
  MarketplaceSettingsDocument,
  type MarketplaceSettingsQuery,
  type SettingsFragment,
  UpdateMarketplaceDocument,
} from "../../api/generated/graphql";
import { byField, Card, css, Empty, FormError, Notice, Page } from "../../components";
import { Answer } from "../../components/answer";
import { CheckField, SelectField, TextAreaField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";

type Channel = MarketplaceSettingsQuery["amazonShopChannels"][number];

/** The order settings of a marketplace. */
export default function Marketplace({ id }: { id: string }) {
  const { t, country } = useText();
  const [answer, refetch] = useQuery({ query: MarketplaceSettingsDocument });
  const { data } = answer;
  const marketplaces = data?.amazonAccounts.flatMap((account) => account.marketplaces);
  const marketplace = marketplaces?.find((each) => each.id === id);
  const account = data?.amazonAccounts.find((each) =>
    each.marketplaces.some((m) => m.id === id),
  );
  const title = marketplace
    ? `${country(marketplace.countryCode)} · ${account?.name}`
    : t("marketplace.title");
  return (
    <Page title={title} back={{ to: "/stores", label: t("connect.back") }}>
      <Answer answer={answer} onRetry={() => refetch()} skeletons={8}>
        {({ amazonShopChannels }) =>
          marketplace ? (
            <Form
              key={marketplace.id}
              marketplace={marketplace}
              channels={amazonShopChannels.filter(
                (channel) => channel.currency === marketplace.currency,
              )}
            />
          ) : (
            <Empty title={t("marketplace.unknown")} />
          )
        }
      </Answer>
    </Page>
  );
}

const FIELDS = [
  "channel",
  "warehouseIds",
  "shippingMethodId",
  "importOrders",
  "customerCreation",
  "orderNumberSource",
  "initialStatus",
  "defaultCarrierCode",
  "buyerDataRetentionDays",
  "sendStock",
  "stockSafetyQuantity",
  "stockFloor",
  "cancellationMechanism",
  "invoiceMechanism",
  "invoiceNumberPrefix",
  "invoiceIssuer",
  "invoiceTaxNumber",
  "invoiceNote",
];

const MECHANISMS = ["AUTO", "FEED", "MESSAGE", "OFF"] as const;

interface FormProps {
  marketplace: SettingsFragment;
  channels: Channel[];
}

export function Form({ marketplace, channels }: FormProps) {
  const { t, of } = useText();
  const [values, setValues] = useState(() => ({
    importOrders: marketplace.importOrders,
    channel: marketplace.channelSlug ?? "",
    warehouseIds: marketplace.warehouseIds,
    shippingMethodId: marketplace.shippingMethodId ?? "",
    customerCreation: marketplace.customerCreation,
    orderNumberSource: marketplace.orderNumberSource,
    initialStatus: marketplace.initialStatus,
    defaultCarrierCode: marketplace.defaultCarrierCode ?? "",
    buyerDataRetentionDays: String(marketplace.buyerDataRetentionDays),
    sendStock: marketplace.sendStock,
    stockSafetyQuantity: String(marketplace.stockSafetyQuantity),
    stockFloor: String(marketplace.stockFloor),
    cancellationMechanism: marketplace.cancellationMechanism,
    invoiceMechanism: marketplace.invoiceMechanism,
    invoiceNumberPrefix: marketplace.invoiceNumberPrefix,
    invoiceIssuer: marketplace.invoiceIssuer ?? "",
    invoiceTaxNumber: marketplace.invoiceTaxNumber ?? "",
    invoiceNote: marketplace.invoiceNote ?? "",
  }));
  const [{ data, error, fetching }, update] = useMutation(UpdateMarketplaceDocument);
  const errors = byField(data?.amazonMarketplaceUpdate?.errors ?? [], FIELDS);
  const channel = channels.find(({ slug }) => slug === values.channel);
  const saved = data?.amazonMarketplaceUpdate?.marketplace;
  const set = (changes: Partial<typeof values>) => setValues({ ...values, ...changes });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { channel: slug, warehouseIds, shippingMethodId, ...rest } = values;
    const input: AmazonMarketplaceUpdateInput = {
      ...rest,
      buyerDataRetentionDays: Number(values.buyerDataRetentionDays),
      stockSafetyQuantity: Number(values.stockSafetyQuantity),
      stockFloor: Number(values.stockFloor),
      channel: slug,
      ...(slug ? { warehouseIds, shippingMethodId } : {}),
    };
    const result = await update({ id: marketplace.id, input });
    if (!result.data?.amazonMarketplaceUpdate?.marketplace) return;
    void notify("success", t("common.saved"));
  };

  /** With one of a kind there is nothing to choose. */
  const choose = (slug: string) => {
    const chosen = channels.find((each) => each.slug === slug);
    set({
      channel: slug,
      warehouseIds:
        chosen?.warehouses.length === 1 ? chosen.warehouses.map((w) => w.id) : [],
      shippingMethodId: chosen?.shippingMethods[0]?.id ?? "",
    });
  };

  return (
    <form className={css.sections} onSubmit={submit}>
      <FormError text={error?.message ?? errors[""]} />
      <Card title={t("marketplace.import")}>
        <div className={css.form}>
          <CheckField
            label={t("marketplace.importOrders")}
            isChecked={values.importOrders}
            onChange={(importOrders) => set({ importOrders })}
          />
          <Text as="p" size={3} className={css.muted}>
            {values.importOrders ? t("marketplace.importOn") : t("marketplace.importOff")}
          </Text>
          {channels.length === 0 ? (
            <Text as="p" size={3}>
              {t("marketplace.noChannel", { currency: marketplace.currency })}
            </Text>
          ) : (
            <SelectField
              label={t("marketplace.channel")}
              value={values.channel}
              options={[
                { value: "", label: t("marketplace.notMapped") },
                ...channels.map(({ slug }) => ({ value: slug, label: slug })),
              ]}
              onChange={choose}
              error={errors.channel}
              help={t("marketplace.channelHelp")}
            />
          )}
          {channel && (
            <>
              <fieldset className={css.fieldset}>
                <legend>{t("marketplace.warehouses")}</legend>
                {channel.warehouses.map((warehouse) => (
                  <CheckField
                    key={warehouse.id}
                    label={warehouse.name}
                    isChecked={values.warehouseIds.includes(warehouse.id)}
                    onChange={(checked) =>
                      set({
                        warehouseIds: checked
                          ? [...values.warehouseIds, warehouse.id]
                          : values.warehouseIds.filter((each) => each !== warehouse.id),
                      })
                    }
                  />
                ))}
                <Text size={2} className={errors.warehouseIds ? css.fieldError : css.muted}>
                  {errors.warehouseIds ?? t("marketplace.warehousesHelp")}
                </Text>
              </fieldset>
              <SelectField
                label={t("marketplace.shippingMethod")}
                value={values.shippingMethodId}
                options={channel.shippingMethods.map((method) => ({
                  value: method.id,
                  label: method.name,
                }))}
                onChange={(shippingMethodId) => set({ shippingMethodId })}
                error={errors.shippingMethodId}
              />
            </>
          )}
        </div>
      </Card>
      <Card title={t("marketplace.orders")}>
        <div className={css.form}>
          <SelectField
            label={t("marketplace.customers")}
            disabled={!values.importOrders}
            value={values.customerCreation}
            options={(["GUEST", "ACCOUNT"] as const).map((value) => ({
              value,
              label: of("customerCreation", value),
            }))}
            onChange={(customerCreation) => set({ customerCreation })}
            help={t("marketplace.customersHelp")}
          />
          <SelectField
            label={t("marketplace.number")}
            disabled={!values.importOrders}
            value={values.orderNumberSource}
            options={(["SHOP", "AMAZON"] as const).map((value) => ({
              value,
              label: of("orderNumberSource", value),
            }))}
            onChange={(orderNumberSource) => set({ orderNumberSource })}
            help={t("marketplace.numberHelp")}
          />
          <SelectField
            label={t("marketplace.status")}
            disabled={!values.importOrders}
            value={values.initialStatus}
            options={(["UNFULFILLED", "UNCONFIRMED"] as const).map((value) => ({
              value,
              label: of("initialStatus", value),
            }))}
            onChange={(initialStatus) => set({ initialStatus })}
            help={t("marketplace.statusHelp")}
          />
          <TextField
            label={t("marketplace.carrier")}
            disabled={!values.importOrders}
            value={values.defaultCarrierCode}
            onChange={(defaultCarrierCode) => set({ defaultCarrierCode })}
            error={errors.defaultCarrierCode}
            help={t("marketplace.carrierHelp")}
          />
          <SelectField
            label={t("cancellation.mechanism")}
            disabled={!values.importOrders}
            value={values.cancellationMechanism}
            options={(["FEED", "CALL"] as const).map((value) => ({
              value,
              label: of("cancellationMechanism", value),
            }))}
            onChange={(cancellationMechanism) => set({ cancellationMechanism })}
            error={errors.cancellationMechanism}
            help={
              values.cancellationMechanism === "CALL"
                ? t("cancellation.callHelp")
                : t("cancellation.feedHelp")
            }
          />
          <TextField
            label={t("marketplace.retention")}
            type="number"
            min={0}
            max={30}
            value={values.buyerDataRetentionDays}
            onChange={(buyerDataRetentionDays) => set({ buyerDataRetentionDays })}
            error={errors.buyerDataRetentionDays}
            help={t("marketplace.retentionHelp")}
          />
        </div>
      </Card>
      <Card title={t("stock.title")}>
        <div className={css.form}>
          <CheckField
            label={t("stock.send")}
            isChecked={values.sendStock}
            onChange={(sendStock) => set({ sendStock })}
          />
          <Text as="p" size={3} className={errors.sendStock ? css.fieldError : css.muted}>
            {errors.sendStock ?? t("stock.help")}
          </Text>
          <TextField
            label={t("stock.safety")}
            type="number"
            min={0}
            required
            disabled={!values.sendStock}
            value={values.stockSafetyQuantity}
            onChange={(stockSafetyQuantity) => set({ stockSafetyQuantity })}
            error={errors.stockSafetyQuantity}
            help={t("stock.safetyHelp")}
          />
          <TextField
            label={t("stock.floor")}
            type="number"
            min={0}
            required
            disabled={!values.sendStock}
            value={values.stockFloor}
            onChange={(stockFloor) => set({ stockFloor })}
            error={errors.stockFloor}
            help={t("stock.floorHelp")}
          />
        </div>
      </Card>
      <Card title={t("invoice.title")}>
        <div className={css.form}>
          <SelectField
            label={t("invoice.mechanism")}
            value={values.invoiceMechanism}
            options={MECHANISMS.map((value) => ({
              value,
              label: of("invoiceMechanism", value),
            }))}
            onChange={(invoiceMechanism) => set({ invoiceMechanism })}
            error={errors.invoiceMechanism}
          />
          <TextField
            label={t("invoice.prefix")}
            maxLength={20}
            value={values.invoiceNumberPrefix}
            onChange={(invoiceNumberPrefix) => set({ invoiceNumberPrefix })}
            error={errors.invoiceNumberPrefix}
            help={t("invoice.prefixHelp", { number: marketplace.nextInvoiceNumber })}
          />
          <TextAreaField
            label={t("invoice.issuer")}
            rows={4}
            value={values.invoiceIssuer}
            onChange={(invoiceIssuer) => set({ invoiceIssuer })}
            error={errors.invoiceIssuer}
            help={t("invoice.issuerHelp")}
          />
          <TextField
            label={t("order.taxNumber")}
            value={values.invoiceTaxNumber}
            onChange={(invoiceTaxNumber) => set({ invoiceTaxNumber })}
            error={errors.invoiceTaxNumber}
            help={t("invoice.taxNumberHelp")}
          />
          <TextField
            label={t("invoice.note")}
            value={values.invoiceNote}
            onChange={(invoiceNote) => set({ invoiceNote })}
            error={errors.invoiceNote}
            help={t("invoice.noteHelp")}
          />
        </div>
      </Card>
      {saved?.isMapped && saved.importOrders && (
        <Notice
          action={
            <Link className={css.link} to="/orders">
              {t("widget.all")}
            </Link>
          }
        >
          <Text as="p" size={3} role="status">
            {t("marketplace.ready")}
          </Text>
        </Notice>
      )}
      <div className={css.actions}>
        <Button type="submit" disabled={fetching}>
          {t("common.save")}
        </Button>
        <Button type="button" variant="secondary" onClick={() => navigate("/stores")}>
          {t("common.close")}
        </Button>
      </div>
    </form>
  );
}
