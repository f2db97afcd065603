import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type AmazonRegion,
  ConnectAccountDocument,
  ConnectAgainDocument,
  type ConnectAgainQuery,
} from "../../api/generated/graphql";
import { byField, Card, css, FormError, Page } from "../../components";
import { Answer } from "../../components/answer";
import { SelectField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { navigate } from "../../dashboard/router";
import { type MessageId, useText } from "../../i18n";

const REGIONS: AmazonRegion[] = ["EU", "NA", "FE"];

const FIELDS = [
  ["name", "connect.name", "connect.nameHelp"],
  ["sellerId", "connect.sellerId", "connect.sellerIdHelp"],
  ["lwaClientId", "connect.clientId", "connect.clientIdHelp"],
  ["lwaClientSecret", "connect.clientSecret", "connect.clientSecretHelp"],
  ["refreshToken", "connect.refreshToken", "connect.refreshTokenHelp"],
] as const satisfies [string, MessageId, MessageId][];

const SECRETS = ["lwaClientSecret", "refreshToken"];
const EXPERT = [
  ["endpoint", "connect.endpoint"],
  ["lwaEndpoint", "connect.lwaEndpoint"],
] as const;
const NAMES = [
  "region",
  "importFrom",
  ...FIELDS.map(([n]) => n),
  ...EXPERT.map(([n]) => n),
];

/** Connects a seller; one that was disconnected (`account`) again. */
export default function Connect({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  const id = params.get("account");
  const [answer, refetch] = useQuery({ query: ConnectAgainDocument, pause: !id });
  return (
    <Page title={t("connect.title")} back={{ to: "/stores", label: t("connect.back") }}>
      {id ? (
        <Answer answer={answer} onRetry={() => refetch()} skeletons={8}>
          {({ amazonAccounts }) => (
            <Form known={amazonAccounts.find((account) => account.id === id)} />
          )}
        </Answer>
      ) : (
        <Form />
      )}
    </Page>
  );
}

type Known = ConnectAgainQuery["amazonAccounts"][number];

function Form({ known }: { known?: Known }) {
  const { t, of } = useText();
  const [region, setRegion] = useState<AmazonRegion>(known?.region ?? "EU");
  const [values, setValues] = useState<Record<string, string>>({
    name: known?.name ?? "",
    sellerId: known?.sellerId ?? "",
  });
  const [isExpert, setExpert] = useState(false);
  const [{ data, error, fetching }, connect] = useMutation(ConnectAccountDocument);
  const errors = byField(data?.amazonAccountConnect?.errors ?? [], NAMES);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const text = (name: string) => values[name]?.trim() ?? "";
    const result = await connect({
      input: {
        region,
        name: text("name"),
        sellerId: text("sellerId"),
        lwaClientId: text("lwaClientId"),
        lwaClientSecret: text("lwaClientSecret"),
        refreshToken: text("refreshToken"),
        importFrom: text("importFrom") ? new Date(text("importFrom")).toISOString() : null,
        endpoint: text("endpoint") || null,
        lwaEndpoint: text("lwaEndpoint") || null,
      },
    });
    if (!result.data?.amazonAccountConnect?.account) return;
    void notify("success", t("connect.done"));
    navigate("/stores");
  };
  const set = (name: string, value: string) => setValues({ ...values, [name]: value });

  return (
    <Card title={t("connect.credentials")}>
      <form className={css.form} onSubmit={submit} autoComplete="off">
        <Text as="p" size={3} className={css.muted}>
          {t("connect.help")}
        </Text>
        <FormError text={error?.message ?? errors[""]} />
        <SelectField
          label={t("connect.region")}
          value={region}
          options={REGIONS.map((value) => ({ value, label: of("region", value) }))}
          onChange={setRegion}
          error={errors.region}
        />
        {FIELDS.map(([name, label, help]) => (
          <TextField
            key={name}
            label={t(label)}
            type={SECRETS.includes(name) ? "password" : "text"}
            autoComplete={SECRETS.includes(name) ? "new-password" : "off"}
            required
            value={values[name] ?? ""}
            onChange={(value) => set(name, value)}
            error={errors[name]}
            help={t(help)}
          />
        ))}
        <TextField
          label={t("connect.importFrom")}
          type="datetime-local"
          value={values.importFrom ?? ""}
          onChange={(value) => set("importFrom", value)}
          error={errors.importFrom}
          help={t("connect.importFromHelp")}
        />
        {isExpert ? (
          EXPERT.map(([name, label]) => (
            <TextField
              key={name}
              label={t(label)}
              value={values[name] ?? ""}
              onChange={(value) => set(name, value)}
              error={errors[name]}
              help={t("connect.endpointHelp")}
            />
          ))
        ) : (
          <div>
            <Button
              type="button"
              variant="tertiary"
              size="small"
              onClick={() => setExpert(true)}
            >
              {t("connect.expert")}
            </Button>
          </div>
        )}
        <div className={css.actions}>
          <Button type="submit" disabled={fetching}>
            {fetching ? t("connect.busy") : t("connect.action")}
          </Button>
          <Button type="button" variant="secondary" onClick={() => navigate("/stores")}>
            {t("common.close")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
