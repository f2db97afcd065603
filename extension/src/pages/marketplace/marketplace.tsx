import { Button, Checkbox, Input, Select, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type AmazonMarketplaceUpdateInput,
  MarketplaceSettingsDocument,
  type MarketplaceSettingsQuery,
  type SettingsFragment,
  UpdateMarketplaceDocument,
} from "../../api/generated/graphql";
import {
  byField,
  Card,
  css,
  Empty,
  FormError,
  Loading,
  Page,
  Problem,
} from "../../components";
import { notify } from "../../dashboard/notify";
import { navigate } from "../../dashboard/router";
import { useText } from "../../i18n";

type Channel = MarketplaceSettingsQuery["amazonShopChannels"][number];

/** The order settings of a marketplace. */
export default function Marketplace({ id }: { id: string }) {
  const { t } = useText();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: MarketplaceSettingsDocument,
  });
  const marketplaces = data?.amazonAccounts.flatMap((account) => account.marketplaces);
  const marketplace = marketplaces?.find((each) => each.id === id);
  const account = data?.amazonAccounts.find((each) =>
    each.marketplaces.some((m) => m.id === id),
  );
  const title = marketplace
    ? `${marketplace.name} · ${account?.name}`
    : t("marketplace.title");
  return (
    <Page title={title} back={{ to: "/stores", label: t("connect.back") }}>
      {fetching && !data && <Loading rows={8} />}
      {error && !data && <Problem error={error} onRetry={() => refetch()} />}
      {data && !marketplace && <Empty title={t("marketplace.unknown")} />}
      {data && marketplace && (
        <Form
          key={marketplace.id}
          marketplace={marketplace}
          channels={data.amazonShopChannels.filter(
            (channel) => channel.currency === marketplace.currency,
          )}
        />
      )}
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
];

interface FormProps {
  marketplace: SettingsFragment;
  channels: Channel[];
}

function Form({ marketplace, channels }: FormProps) {
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
  }));
  const [{ data, error, fetching }, update] = useMutation(UpdateMarketplaceDocument);
  const errors = byField(data?.amazonMarketplaceUpdate?.errors ?? [], FIELDS);
  const channel = channels.find(({ slug }) => slug === values.channel);
  const set = (changes: Partial<typeof values>) => setValues({ ...values, ...changes });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { channel: slug, warehouseIds, shippingMethodId, ...rest } = values;
    const input: AmazonMarketplaceUpdateInput = {
      ...rest,
      buyerDataRetentionDays: Number(values.buyerDataRetentionDays),
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
          <Checkbox
            checked={values.importOrders}
            onCheckedChange={(checked) => set({ importOrders: checked === true })}
          >
            <Text size={4}>{t("marketplace.importOrders")}</Text>
          </Checkbox>
          <Text as="p" size={3} color="default2">
            {values.importOrders ? t("marketplace.importOn") : t("marketplace.importOff")}
          </Text>
          {channels.length === 0 ? (
            <Text as="p" size={3}>
              {t("marketplace.noChannel", { currency: marketplace.currency })}
            </Text>
          ) : (
            <Select
              label={t("marketplace.channel")}
              value={values.channel}
              options={[
                { value: "", label: t("marketplace.notMapped") },
                ...channels.map(({ slug }) => ({ value: slug, label: slug })),
              ]}
              onChange={choose}
              error={Boolean(errors.channel)}
              helperText={errors.channel ?? t("marketplace.channelHelp")}
            />
          )}
          {channel && (
            <>
              <fieldset className={css.fieldset}>
                <legend>{t("marketplace.warehouses")}</legend>
                {channel.warehouses.map((warehouse) => (
                  <Checkbox
                    key={warehouse.id}
                    checked={values.warehouseIds.includes(warehouse.id)}
                    onCheckedChange={(checked) =>
                      set({
                        warehouseIds: checked
                          ? [...values.warehouseIds, warehouse.id]
                          : values.warehouseIds.filter((each) => each !== warehouse.id),
                      })
                    }
                  >
                    <Text size={3}>{warehouse.name}</Text>
                  </Checkbox>
                ))}
                <Text size={2} color={errors.warehouseIds ? "critical1" : "default2"}>
                  {errors.warehouseIds ?? t("marketplace.warehousesHelp")}
                </Text>
              </fieldset>
              <Select
                label={t("marketplace.shippingMethod")}
                value={values.shippingMethodId}
                options={channel.shippingMethods.map((method) => ({
                  value: method.id,
                  label: method.name,
                }))}
                onChange={(shippingMethodId: string) => set({ shippingMethodId })}
                error={Boolean(errors.shippingMethodId)}
                helperText={errors.shippingMethodId}
              />
            </>
          )}
        </div>
      </Card>
      <Card title={t("marketplace.orders")}>
        <div className={css.form}>
          <Select
            label={t("marketplace.customers")}
            disabled={!values.importOrders}
            value={values.customerCreation}
            options={(["GUEST", "ACCOUNT"] as const).map((value) => ({
              value,
              label: of("customerCreation", value),
            }))}
            onChange={(value: string) =>
              set({ customerCreation: value as typeof values.customerCreation })
            }
            helperText={t("marketplace.customersHelp")}
          />
          <Select
            label={t("marketplace.number")}
            disabled={!values.importOrders}
            value={values.orderNumberSource}
            options={(["SHOP", "AMAZON"] as const).map((value) => ({
              value,
              label: of("orderNumberSource", value),
            }))}
            onChange={(value: string) =>
              set({ orderNumberSource: value as typeof values.orderNumberSource })
            }
            helperText={t("marketplace.numberHelp")}
          />
          <Select
            label={t("marketplace.status")}
            disabled={!values.importOrders}
            value={values.initialStatus}
            options={(["UNFULFILLED", "UNCONFIRMED"] as const).map((value) => ({
              value,
              label: of("initialStatus", value),
            }))}
            onChange={(value: string) =>
              set({ initialStatus: value as typeof values.initialStatus })
            }
            helperText={t("marketplace.statusHelp")}
          />
          <Input
            label={t("marketplace.carrier")}
            disabled={!values.importOrders}
            value={values.defaultCarrierCode}
            onChange={(event) => set({ defaultCarrierCode: event.target.value })}
            error={Boolean(errors.defaultCarrierCode)}
            helperText={errors.defaultCarrierCode ?? t("marketplace.carrierHelp")}
          />
          <Input
            label={t("marketplace.retention")}
            type="number"
            min={0}
            max={30}
            value={values.buyerDataRetentionDays}
            onChange={(event) => set({ buyerDataRetentionDays: event.target.value })}
            error={Boolean(errors.buyerDataRetentionDays)}
            helperText={errors.buyerDataRetentionDays ?? t("marketplace.retentionHelp")}
          />
        </div>
      </Card>
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
