import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  AccountSettingsDocument,
  type AccountSettingsQuery,
  type AmazonAccountUpdateInput,
  RefreshMarketplacesDocument,
  UpdateAccountDocument,
} from "../../api/generated/graphql";
import { byField, Card, css, Empty, FormError, Notice, Page } from "../../components";
import { Answer } from "../../components/answer";
import { TextField } from "../../components/fields";
import { Marketplaces } from "../../components/marketplaces";
import { AccountState } from "../../components/states";
import { notify } from "../../dashboard/notify";
import { address, navigate } from "../../dashboard/router";
import { type MessageId, useText } from "../../i18n";
import { DisconnectDialog } from "./disconnect-dialog";
import { PauseButton } from "./pause-button";

export type Account = AccountSettingsQuery["amazonAccounts"][number];

/** One seller account: all that can be done with it. */
export default function AccountPage({ id }: { id: string }) {
  const { t } = useText();
  const [answer, refetch] = useQuery({ query: AccountSettingsDocument });
  const again = () => refetch({ requestPolicy: "network-only" });
  const account = answer.data?.amazonAccounts.find((each) => each.id === id);
  return (
    <Page
      title={account?.name ?? t("account.title")}
      back={{ to: "/stores", label: t("connect.back") }}
      badges={account && <AccountState state={account.state} />}
    >
      <Answer answer={answer} onRetry={again} skeletons={8}>
        {() =>
          account ? (
            <Sections account={account} onChange={again} />
          ) : (
            <Empty title={t("account.unknown")} />
          )
        }
      </Answer>
    </Page>
  );
}

interface Props {
  account: Account;
  onChange: () => void;
}

function Sections({ account, onChange }: Props) {
  const { t, date } = useText();
  const [isLeaving, setLeaving] = useState(false);
  const isConnected = account.state !== "DISCONNECTED";
  return (
    <>
      {[account.stateReason, account.secretWarning]
        .filter((text): text is string => Boolean(text))
        .map((text) => (
          <Notice key={text} tone="warning">
            <Text as="p" size={3}>
              {text}
            </Text>
          </Notice>
        ))}
      {isConnected ? (
        <>
          <Card title={t("connect.credentials")}>
            <General account={account} onChange={onChange} />
          </Card>
          <Card title={t("account.credentials")}>
            <Credentials account={account} onChange={onChange} />
          </Card>
        </>
      ) : (
        <Card title={t("account.again")}>
          <div className={css.form}>
            <Text as="p" size={3} className={css.muted}>
              {t("account.againHelp")}
            </Text>
            <div>
              <Button
                onClick={() => navigate(address("/connect", { account: account.id }))}
              >
                {t("account.again")}
              </Button>
            </div>
          </div>
        </Card>
      )}
      <Card
        title={t("account.marketplaces")}
        actions={isConnected && <RefreshButton account={account} onChange={onChange} />}
      >
        <div className={css.list}>
          <Text as="p" size={3} className={css.muted}>
            {t("account.marketplacesHelp")}
          </Text>
          <Marketplaces {...account} />
        </div>
      </Card>
      {isConnected && (
        <Card
          title={t("account.pause")}
          actions={<PauseButton account={account} onChange={onChange} />}
        >
          <Text as="p" size={3} className={css.muted}>
            {t("account.pauseHelp")}
          </Text>
        </Card>
      )}
      {isConnected && (
        <Card
          title={t("account.disconnect")}
          actions={
            <Button
              variant="secondary"
              size="small"
              className={css.danger}
              onClick={() => setLeaving(true)}
            >
              {t("account.disconnect")}
            </Button>
          }
        >
          <Text as="p" size={3} className={css.muted}>
            {t("account.disconnectHelp", { date: date(account.createdAt) })}
          </Text>
        </Card>
      )}
      {isLeaving && (
        <DisconnectDialog
          account={account}
          onClose={() => setLeaving(false)}
          onDone={() => {
            setLeaving(false);
            onChange();
          }}
        />
      )}
    </>
  );
}

/** A time as the browser's own field has it: the user's, to the minute. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  at.setMinutes(at.getMinutes() - at.getTimezoneOffset());
  return at.toISOString().slice(0, 16);
}

/** Saves what is given; whether Amazon and the shop took it. */
function useUpdate({ account, onChange }: Props, fields: readonly string[]) {
  const { t } = useText();
  const [{ data, error, fetching }, update] = useMutation(UpdateAccountDocument);
  const errors = byField(data?.amazonAccountUpdate?.errors ?? [], fields);
  const save = async (input: AmazonAccountUpdateInput) => {
    const result = await update({ id: account.id, input });
    if (!result.data?.amazonAccountUpdate?.account) return false;
    void notify("success", t("common.saved"));
    onChange();
    return true;
  };
  return { save, fetching, errors, problem: error?.message ?? errors[""] };
}

function General(props: Props) {
  const { account } = props;
  const { t } = useText();
  const before = localTime(account.importFrom);
  const [name, setName] = useState(account.name);
  const [importFrom, setImportFrom] = useState(before);
  const { save, fetching, errors, problem } = useUpdate(props, ["name", "importFrom"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // To the minute it would be another time than the one that is set.
    const isChanged = importFrom !== before;
    void save({
      name,
      ...(isChanged && { importFrom: new Date(importFrom).toISOString() }),
    });
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <FormError text={problem} />
      <TextField
        label={t("connect.name")}
        required
        maxLength={100}
        value={name}
        onChange={setName}
        error={errors.name}
        help={t("connect.nameHelp")}
      />
      <TextField
        label={t("connect.importFrom")}
        type="datetime-local"
        required
        value={importFrom}
        onChange={setImportFrom}
        error={errors.importFrom}
        help={t("account.importFromHelp")}
      />
      <div>
        <Button type="submit" disabled={fetching}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}

const SECRETS = [
  ["lwaClientSecret", "connect.clientSecret", "account.clientSecretHelp", "password"],
  ["refreshToken", "connect.refreshToken", "connect.refreshTokenHelp", "password"],
  ["lwaClientId", "connect.clientId", "account.clientIdHelp", "text"],
] as const satisfies [string, MessageId, MessageId, string][];
const NOTHING = { lwaClientSecret: "", refreshToken: "", lwaClientId: "" };

function Credentials(props: Props) {
  const { account } = props;
  const { t, date } = useText();
  const [values, setValues] = useState(NOTHING);
  const { save, fetching, errors, problem } = useUpdate(props, Object.keys(NOTHING));
  const given = Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, value.trim()])
      .filter(([, value]) => value),
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await save(given)) setValues(NOTHING);
  };
  return (
    <form className={css.form} onSubmit={submit} autoComplete="off">
      <Text as="p" size={3} className={css.muted}>
        {t("account.credentialsHelp")}{" "}
        {account.secretExpiresAt &&
          t("account.secretExpires", { date: date(account.secretExpiresAt) })}
      </Text>
      <FormError text={problem} />
      {SECRETS.map(([name, label, help, type]) => (
        <TextField
          key={name}
          label={t(label)}
          type={type}
          autoComplete={type === "password" ? "new-password" : "off"}
          value={values[name]}
          onChange={(value) => setValues({ ...values, [name]: value })}
          error={errors[name]}
          help={t(help)}
        />
      ))}
      <div>
        <Button type="submit" disabled={fetching || !Object.keys(given).length}>
          {fetching ? t("connect.busy") : t("account.saveCredentials")}
        </Button>
      </div>
    </form>
  );
}

function RefreshButton({ account, onChange }: Props) {
  const { t } = useText();
  const [{ fetching }, refresh] = useMutation(RefreshMarketplacesDocument);
  const onClick = async () => {
    const { data, error } = await refresh({ accountId: account.id });
    const message = error?.message ?? data?.amazonMarketplacesRefresh?.errors[0]?.message;
    const found = data?.amazonMarketplacesRefresh?.account?.marketplaces.length ?? 0;
    void notify(
      message ? "error" : "success",
      message ?? t("account.refreshed", { count: found }),
    );
    onChange();
  };
  return (
    <Button variant="secondary" size="small" disabled={fetching} onClick={onClick}>
      {fetching ? t("connect.busy") : t("account.refresh")}
    </Button>
  );
}
