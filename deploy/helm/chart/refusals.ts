import { VALUE_RULES } from "../../../packages/kubernetes/src/manifests/value-rules.ts";
import { conditionText, type PrintScope } from "../print/helm-expression.ts";

/** What the schema cannot say, in the words of the command. It renders to nothing, or to an error. */
export function refusals(scope: PrintScope): string {
  const rules = VALUE_RULES.map(({ refusedWhen, value, because }) =>
    refusal(conditionText(refusedWhen, scope), `value ${value}: ${because}`),
  );
  return [
    refusal(
      "and .Values.namespace (ne .Values.namespace .Release.Namespace)",
      "value namespace: it is not the release's, where the objects go; install with --namespace",
    ),
    refusal(
      ".Values.createNamespace",
      "value createNamespace: a release cannot make its own namespace; install with --create-namespace, " +
        "and label it pod-security.kubernetes.io/enforce=privileged",
    ),
    ...rules,
  ].join("");
}

function refusal(condition: string, message: string): string {
  return `{{- if ${condition} }}\n{{- fail ${JSON.stringify(message)} }}\n{{- end }}\n`;
}
