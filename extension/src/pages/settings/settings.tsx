import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  ChannelSettingsDocument,
  type ChannelSettingsPartsFragment,
  UpdateChannelSettingsDocument,
} from "../../api/generated/graphql";
import { byField, Card, css, FormError, Notice } from "../../components";
import { Answer } from "../../components/answer";
import { CheckField, SelectField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { SettingsPage } from "./tabs";

const FIELDS = ["pullIntervalMinutes", "isReadOnly", "isDebugLogging", "clearLogHistory"];
const HISTORIES = ["DAILY", "WEEKLY", "MONTHLY"] as const;

/** E1–E4: what is set for the whole channel. */
export default function Settings() {
  const { t } = useText();
  const [answer, refetch] = useQuery({ query: ChannelSettingsDocument });
  return (
    <SettingsPage title={t("settings.title")}>
      <Answer answer={answer} onRetry={() => refetch()}>
        {({ amazonSettings }) => <Form settings={amazonSettings} />}
      </Answer>
    </SettingsPage>
  );
}

function Form({ settings }: { settings: ChannelSettingsPartsFragment }) {
  const { t, of } = useText();
  const [values, setValues] = useState(() => ({
    pullIntervalMinutes: String(settings.pullIntervalMinutes),
    isReadOnly: settings.isReadOnly,
    isDebugLogging: settings.isDebugLogging,
    clearLogHistory: settings.clearLogHistory,
  }));
  const [{ data, error, fetching }, update] = useMutation(UpdateChannelSettingsDocument);
  const errors = byField(data?.amazonSettingsUpdate?.errors ?? [], FIELDS);
  const set = (changes: Partial<typeof values>) => setValues({ ...values, ...changes });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await update({
      input: { ...values, pullIntervalMinutes: Number(values.pullIntervalMinutes) },
    });
    if (result.data?.amazonSettingsUpdate?.settings)
      void notify("success", t("common.saved"));
  };
  return (
    <>
      {!settings.isActive && (
        <Notice tone="warning">
          <Text as="p" size={3}>
            {t("stores.inactive")}
          </Text>
        </Notice>
      )}
      <Card title={t("settings.general")}>
        <form className={css.form} onSubmit={submit}>
          <FormError text={error?.message ?? errors[""]} />
          <TextField
            label={t("settings.interval")}
            type="number"
            min={3}
            max={1440}
            required
            value={values.pullIntervalMinutes}
            onChange={(pullIntervalMinutes) => set({ pullIntervalMinutes })}
            error={errors.pullIntervalMinutes}
            help={t("settings.intervalHelp")}
          />
          <CheckField
            label={t("settings.readOnly")}
            isChecked={values.isReadOnly}
            onChange={(isReadOnly) => set({ isReadOnly })}
          />
          <Text as="p" size={2} className={css.muted}>
            {t("settings.readOnlyHelp")} {settings.readOnlyReason}
          </Text>
          <SelectField
            label={t("settings.history")}
            value={values.clearLogHistory}
            options={HISTORIES.map((value) => ({ value, label: of("history", value) }))}
            onChange={(clearLogHistory) => set({ clearLogHistory })}
            error={errors.clearLogHistory}
            help={t("settings.historyHelp")}
          />
          <CheckField
            label={t("settings.debug")}
            isChecked={values.isDebugLogging}
            onChange={(isDebugLogging) => set({ isDebugLogging })}
          />
          <Text as="p" size={2} className={css.muted}>
            {t("settings.debugHelp")}
          </Text>
          <div>
            <Button type="submit" disabled={fetching}>
              {t("common.save")}
            </Button>
          </div>
        </form>
      </Card>
    </>
  );
}
