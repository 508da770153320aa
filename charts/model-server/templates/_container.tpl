{{/* What Pod Security `restricted` asks of a container, and a root file system that nobody writes to. */}}
{{- define "model-server.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Who the processes are, for a pod or a container. */}}
{{- define "model-server.user" -}}
runAsNonRoot: true
{{- with .Values.securityContext }}
{{- if not (kindIs "invalid" .runAsUser) }}
runAsUser: {{ .runAsUser | int64 }}
{{- end }}
{{- if not (kindIs "invalid" .runAsGroup) }}
runAsGroup: {{ .runAsGroup | int64 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "model-server.podSecurity" -}}
{{ include "model-server.user" . }}
{{- with .Values.securityContext }}
{{- if not (kindIs "invalid" .fsGroup) }}
fsGroup: {{ .fsGroup | int64 }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Variables of the server: list CONTEXT MODEL-REPOSITORY. Absent ones are the server's own defaults. */}}
{{- define "model-server.env" -}}
{{- $own := include "model-server.ownEnv" . | trim -}}
{{- $names := list -}}
{{- range fromYamlArray $own }}{{ $names = append $names .name }}{{ end -}}
{{- $own }}
{{- with (index . 0).Values.server.env }}
{{- range . }}
{{- if has .name $names }}
{{- fail (printf "server.env: %s is there already, set by the chart or named twice; of two, Kubernetes takes the last without a word" .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "model-server.ownEnv" -}}
{{- $context := index . 0 -}}
{{- $server := $context.Values.server -}}
{{- /* PORT is reserved on Knative, where KServe runs: the ServingRuntime has flags. */ -}}
{{- if not $context.Values.kserve.enabled }}
- name: PORT
  value: "8080"
- name: GRPC_PORT
  value: "8081"
- name: METRICS_PORT
  value: "8082"
{{- end }}
{{- with index . 1 }}
- name: MODEL_REPOSITORY
  value: {{ . | quote }}
{{- end }}
- name: DRAIN_SECONDS
  value: {{ $server.drainSeconds | int64 | quote }}
- name: IN_FLIGHT_SECONDS
  value: {{ $server.inFlightSeconds | int64 | quote }}
{{- range $variable, $value := dict
  "BATCHING" $server.batching
  "EXECUTION" $server.execution
  "INTRA_OP_THREADS" $server.intraOpThreads
  "LOG_LEVEL" $server.logLevel
  "MAX_BODY_BYTES" $server.maxBodyBytes
  "MODEL_CONTROL" $server.modelControl
  "QUEUE_LIMIT" $server.queueLimit
  "REPOSITORY_POLL_SECONDS" $server.repositoryPollSeconds
  "REQUEST_TIMEOUT_MS" $server.requestTimeoutMs
  "WORKERS" $server.workers }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ $variable }}
  value: {{ kindIs "string" $value | ternary $value (printf "%d" ($value | int64)) | quote }}
{{- end }}
{{- end }}
- name: ORT_DISABLE_TELEMETRY
  value: "1"
{{- if $server.config }}
- name: CONFIG_FILE
  value: /etc/model-server/config.json
{{- end }}
{{- include "model-server.securityEnv" $context }}
{{- include "model-server.tracingEnv" $context }}
{{- end -}}

{{- define "model-server.securityEnv" -}}
{{- if .Values.tls.secretName }}
- name: TLS_CERT_FILE
  value: /etc/tls/tls.crt
- name: TLS_KEY_FILE
  value: /etc/tls/tls.key
{{- if .Values.tls.clientCaSecretName }}
- name: TLS_CLIENT_CA_FILE
  value: /etc/tls-clients/ca.crt
{{- end }}
{{- else if .Values.tls.clientCaSecretName }}
{{- fail "tls.clientCaSecretName is set, but tls.secretName is not: client certificates take TLS" }}
{{- end }}
{{- if .Values.auth.secretName }}
- name: AUTH_TOKENS_FILE
  value: /etc/auth/tokens
{{- end }}
{{- end -}}

{{/* https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */}}
{{- define "model-server.tracingEnv" -}}
{{- with .Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ include "model-server.fullname" $ | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $.Values.tracing.sampleRatio | quote }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name={{ $.Release.Namespace }},k8s.pod.name=$(POD_NAME)
{{- end }}
{{- end -}}

{{/* A probe's request. A client certificate is what the kubelet does not have: then it asks the metrics port. */}}
{{- define "model-server.probe" -}}
{{- $tls := (index . 0).Values.tls -}}
httpGet:
  path: /v2/health/{{ index . 1 }}
  port: {{ ternary "metrics" "http" (ne $tls.clientCaSecretName "") }}
  {{- if and $tls.secretName (not $tls.clientCaSecretName) }}
  scheme: HTTPS
  {{- end }}
{{- end -}}

{{- define "model-server.probes" -}}
# Readiness, so that liveness does not judge a server that is loading. A probe takes a second or more: startSeconds of
# them take no less than that.
startupProbe:
  {{- include "model-server.probe" (list . "ready") | nindent 2 }}
  periodSeconds: 1
  timeoutSeconds: 3
  failureThreshold: {{ .Values.server.startSeconds }}
readinessProbe:
  {{- include "model-server.probe" (list . "ready") | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  {{- include "model-server.probe" (list . "live") | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
