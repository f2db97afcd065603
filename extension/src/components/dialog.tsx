import { Box, Button, Modal, Text } from "@saleor/macaw-ui";
import { type FormEvent, type PropsWithChildren, useEffect, useId, useState } from "react";
import { useText } from "../i18n";
import { css } from ".";

interface Props {
  title: string;
  /** What the form does; without one there is nothing to be done. */
  action?: string;
  isBusy: boolean;
  isDangerous?: boolean;
  onClose: () => void;
  onSubmit?: () => void;
}

/** A question in a form; focus goes back to what opened it. */
export function Dialog(props: PropsWithChildren<Props>) {
  const { t } = useText();
  const id = useId();
  // Before the dialog takes the focus. Macaw's gives it back to a trigger only.
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      const heading = document.querySelector<HTMLElement>("h1");
      setTimeout(() => {
        if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
        else heading?.focus();
      });
    },
    [opener],
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onSubmit?.();
  };
  return (
    <Modal open onChange={(isOpen) => !isOpen && props.onClose()}>
      <Modal.Content
        dialogContentProps={{ "aria-labelledby": id, "aria-describedby": undefined }}
      >
        <Box className={css.dialog}>
          <form className={css.form} onSubmit={submit}>
            <Text as="h2" size={6} fontWeight="medium" id={id}>
              {props.title}
            </Text>
            {props.children}
            <div className={css.dialogEnd}>
              <Button type="button" variant="secondary" onClick={props.onClose}>
                {t("common.close")}
              </Button>
              {props.action && (
                <Button
                  type="submit"
                  variant={props.isDangerous ? "secondary" : "primary"}
                  className={props.isDangerous ? css.danger : undefined}
                  disabled={props.isBusy}
                >
                  {props.action}
                </Button>
              )}
            </div>
          </form>
        </Box>
      </Modal.Content>
    </Modal>
  );
}
