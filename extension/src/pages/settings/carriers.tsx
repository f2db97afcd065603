import { Button } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type CarrierRowFragment,
  CarriersDocument,
  SetCarrierDocument,
} from "../../api/generated/graphql";
import { Badge, byField, Card, css, Fields, FormError } from "../../components";
import { Rows } from "../../components/answer";
import { Dialog } from "../../components/dialog";
import { TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { AccountSettingsPage } from "./tabs";

type Values = Pick<CarrierRowFragment, "carrier" | "carrierCode"> & { carrierName: string };

const NEW: Values = { carrier: "", carrierCode: "", carrierName: "" };

/** What the shop's carriers are called on Amazon. */
export default function Carriers({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  return (
    <AccountSettingsPage title={t("carriers.title")} params={params}>
      {(accountId) => <OfAccount accountId={accountId} />}
    </AccountSettingsPage>
  );
}

function OfAccount({ accountId }: { accountId: string }) {
  const { t, number } = useText();
  const [answer, refetch] = useQuery({ query: CarriersDocument, variables: { accountId } });
  const [edited, setEdited] = useState<Values>();
  const again = () => refetch({ requestPolicy: "network-only" });
  const edit = (carrier: CarrierRowFragment, code = carrier.carrierCode) =>
    setEdited({
      carrier: carrier.carrier,
      carrierCode: code,
      carrierName: carrier.carrierName ?? "",
    });
  return (
    <>
      <Card
        title={t("carriers.title")}
        isFlush
        actions={
          <Button variant="secondary" size="small" onClick={() => setEdited(NEW)}>
            {t("carriers.new")}
          </Button>
        }
      >
        <Rows
          answer={answer}
          rows={answer.data?.amazonCarriers}
          onRetry={again}
          none={{ title: t("carriers.none"), help: t("carriers.noneHelp") }}
        >
          {(carriers) => (
            <table className={css.table}>
              <caption>{t("carriers.title")}</caption>
              <thead>
                <tr>
                  <th scope="col">{t("carriers.carrier")}</th>
                  <th scope="col">{t("carriers.onAmazon")}</th>
                  <th scope="col">{t("order.status")}</th>
                  <th scope="col" className={css.end}>
                    {t("carriers.packages")}
                  </th>
                  <th scope="col">
                    <span className={css.hidden}>{t("blocked.action")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {carriers.map((carrier) => (
                  <tr key={carrier.carrier}>
                    <th scope="row">{carrier.carrier}</th>
                    <td>
                      {carrier.carrierCode}
                      {carrier.carrierName && ` (${carrier.carrierName})`}
                    </td>
                    <td>
                      <CarrierState carrier={carrier} />
                    </td>
                    <td className={css.end}>{number(carrier.packageCount)}</td>
                    <td>
                      <div className={css.rowActions}>
                        {carrier.suggestedCode && (
                          <Button
                            variant="secondary"
                            size="small"
                            onClick={() => edit(carrier, carrier.suggestedCode ?? "")}
                          >
                            {t("carriers.suggested", { code: carrier.suggestedCode })}
                          </Button>
                        )}
                        <Button
                          variant="tertiary"
                          size="small"
                          aria-label={t("carriers.editOf", { carrier: carrier.carrier })}
                          onClick={() => edit(carrier)}
                        >
                          {t("common.edit")}
                        </Button>
                      </div>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Rows>
      </Card>
      {edited && (
        <Edit
          accountId={accountId}
          given={edited}
          onClose={() => setEdited(undefined)}
          onDone={() => {
            setEdited(undefined);
            again();
          }}
        />
      )}
    </>
  );
}

function CarrierState({ carrier }: { carrier: CarrierRowFragment }) {
  const { t } = useText();
  if (carrier.suggestedCode) return <Badge tone="attention">{t("carriers.better")}</Badge>;
  if (!carrier.isKnownCode && carrier.carrierCode !== "Other")
    return <Badge tone="attention">{t("carriers.unknownCode")}</Badge>;
  return (
    <Badge tone={carrier.isMapped ? "good" : "neutral"}>
      {carrier.isMapped ? t("carriers.mapped") : t("carriers.byName")}
    </Badge>
  );
}

interface EditProps {
  accountId: string;
  given: Values;
  onClose: () => void;
  onDone: () => void;
}

function Edit({ accountId, given, onClose, onDone }: EditProps) {
  const { t } = useText();
  const [values, setValues] = useState(given);
  const [tried, setTried] = useState<CarrierRowFragment>();
  const [{ data, error, fetching }, save] = useMutation(SetCarrierDocument);
  const errors = byField(data?.amazonCarrierMappingSet?.errors ?? [], [
    "carrier",
    "carrierCode",
    "carrierName",
  ]);
  const set = (changes: Partial<Values>) => {
    setTried(undefined);
    setValues({ ...values, ...changes });
  };
  const run = async (dryRun: boolean) => {
    const { carrier, carrierCode, carrierName } = values;
    const input = [{ carrier, carrierCode, carrierName: carrierName || null }];
    const result = await save({ accountId, dryRun, input });
    const answer = result.data?.amazonCarrierMappingSet;
    if (result.error || !answer || answer.errors.length) return;
    if (dryRun) return setTried(answer.carriers[0]);
    void notify("success", t("common.saved"));
    onDone();
  };
  return (
    <Dialog
      title={given.carrier || t("carriers.new")}
      action={t("common.save")}
      isBusy={fetching}
      onClose={onClose}
      onSubmit={() => run(false)}
    >
      <FormError text={error?.message ?? errors[""]} />
      {!given.carrier && (
        <TextField
          label={t("carriers.carrier")}
          required
          value={values.carrier}
          onChange={(carrier) => set({ carrier })}
          error={errors.carrier}
          help={t("carriers.carrierHelp")}
        />
      )}
      <TextField
        label={t("marketplace.carrier")}
        value={values.carrierCode}
        onChange={(carrierCode) => set({ carrierCode })}
        error={errors.carrierCode}
        help={t("carriers.codeHelp")}
      />
      {values.carrierCode.trim().toLowerCase() === "other" && (
        <TextField
          label={t("carriers.name")}
          value={values.carrierName}
          onChange={(carrierName) => set({ carrierName })}
          error={errors.carrierName}
        />
      )}
      <div>
        <Button
          type="button"
          variant="secondary"
          size="small"
          disabled={fetching || !values.carrier.trim()}
          onClick={() => run(true)}
        >
          {t("carriers.try")}
        </Button>
      </div>
      {tried && (
        <div role="status">
          <Fields
            rows={[
              [
                t("carriers.onAmazon"),
                [tried.carrierCode, tried.carrierName].filter(Boolean).join(", "),
              ],
              [t("order.status"), <CarrierState key="state" carrier={tried} />],
            ]}
          />
        </div>
      )}
    </Dialog>
  );
}
