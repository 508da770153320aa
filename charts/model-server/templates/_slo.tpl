{{/* What this release's metrics are selected by. */}}
{{- define "model-server.metricSelector" -}}
namespace="{{ .Release.Namespace }}"
{{- range $label, $value := .Values.prometheusRule.selector | default (dict "job" (include "model-server.derivedName" (list . "metrics"))) -}}
,{{ $label }}={{ $value | quote }}
{{- end -}}
{{- end -}}

{{/* What tells the series that are recorded here from those of other releases. */}}
{{- define "model-server.recordedLabels" -}}
namespace: {{ .Release.Namespace | quote }}
release: {{ .Release.Name | quote }}
{{- end -}}

{{/* Share of the requests of each model that failed, and of those that were too slow, over every window of the alerts. */}}
{{- define "model-server.sloRecordings" -}}
{{- $selector := include "model-server.metricSelector" . -}}
{{- $bound := .Values.prometheusRule.latencySeconds | toString -}}
{{- range list "5m" "30m" "1h" "2h" "6h" "1d" "3d" }}
- record: model_server:request_errors:ratio_rate{{ . }}
  expr: |-
    (
      sum by (model) (rate(model_server_requests_total{ {{- $selector }},status=~"{{ include "model-server.failedStatuses" $ }}"}[{{ . }}]))
      or 0 * sum by (model) (rate(model_server_requests_total{ {{- $selector }}}[{{ . }}]))
    ) / (sum by (model) (rate(model_server_requests_total{ {{- $selector }}}[{{ . }}])) > 0)
  labels:
    {{- include "model-server.recordedLabels" $ | nindent 4 }}
- record: model_server:request_slow:ratio_rate{{ . }}
  expr: |-
    {{- /* Prometheus 3 writes a whole number's bound as 1.0. */}}
    1 - sum by (model) (rate(model_server_request_duration_seconds_bucket{ {{- $selector }},le=~"{{ $bound | replace "." "[.]" }}{{ if not (contains "." $bound) }}([.]0)?{{ end }}"}[{{ . }}]))
      / (sum by (model) (rate(model_server_request_duration_seconds_count{ {{- $selector }}}[{{ . }}])) > 0)
  labels:
    {{- include "model-server.recordedLabels" $ | nindent 4 }}
{{- end }}
{{- end -}}

{{/*
Alerts by burn rate: a budget for 30 days is spent at 14.4 times the even speed within 2 % of them (an hour), and so on;
the short window ends the alert soon after the cause. https://sre.google/workbook/alerting-on-slos/, table 5-8
*/}}
{{- define "model-server.sloAlerts" -}}
{{- $rule := .Values.prometheusRule -}}
{{- $series := printf "{namespace=%q,release=%q}" .Release.Namespace .Release.Name -}}
{{- $selector := include "model-server.metricSelector" . -}}
{{- $burns := list
  (dict "long" "1h" "short" "5m" "factor" 14.4 "for" "2m" "severity" $rule.severities.fast)
  (dict "long" "6h" "short" "30m" "factor" 6 "for" "15m" "severity" $rule.severities.fast)
  (dict "long" "1d" "short" "2h" "factor" 3 "for" "1h" "severity" $rule.severities.slow)
  (dict "long" "3d" "short" "6h" "factor" 1 "for" "3h" "severity" $rule.severities.slow) -}}
{{- $goals := list
  (dict "alert" "ModelServerErrorBudgetBurn" "record" "request_errors" "goal" $rule.availability "what" "were not answered" "look" "status in model_server_requests_total says how, and the server's log why; after a rollout, roll back")
  (dict "alert" "ModelServerLatencyBudgetBurn" "record" "request_slow" "goal" $rule.latency "what" (printf "took longer than %v s" $rule.latencySeconds) "look" "model_server_queue_duration_seconds says whether they waited (more pods or workers), model_server_compute_duration_seconds whether the model got slower") -}}
{{- range $goal := $goals }}
{{- range $burn := $burns }}
{{- $budget := divf (subf 100 $goal.goal) 100 }}
- alert: {{ $goal.alert }}
  expr: |-
    model_server:{{ $goal.record }}:ratio_rate{{ $burn.long }}{{ $series }} > {{ mulf $burn.factor $budget }}
    and model_server:{{ $goal.record }}:ratio_rate{{ $burn.short }}{{ $series }} > {{ mulf $burn.factor $budget }}
    and on (model) sum by (model) (increase(model_server_requests_total{ {{- $selector }}}[{{ $burn.long }}])) >= {{ $rule.minRequests }}
  for: {{ $burn.for }}
  labels:
    severity: {{ $burn.severity | quote }}
    window: {{ $burn.long }}
  annotations:
    summary: {{ printf "{{ $value | humanizePercentage }} of the requests to {{ $labels.model }} %s in the last %s; the goal is %v %% that do not" $goal.what $burn.long $goal.goal | quote }}
    description: {{ printf "The error budget of 30 days burns %v times as fast as it may. What to look at: %s." $burn.factor $goal.look | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "model-server.stateAlerts" -}}
{{- $rule := .Values.prometheusRule -}}
{{- $selector := include "model-server.metricSelector" . -}}
{{- if gt (include "model-server.fewestReplicas" . | int) 0 }}
- alert: ModelServerDown
  expr: absent(up{ {{- $selector }}} == 1)
  for: 5m
  labels:
    severity: {{ $rule.severities.fast | quote }}
    namespace: {{ .Release.Namespace | quote }}
    release: {{ .Release.Name | quote }}
  annotations:
    summary: {{ printf "no pod of %s answers" (include "model-server.fullname" .) | quote }}
    description: "Prometheus reads metrics from no pod. What to look at: the pods' events, and the log of the last container."
{{- end }}
- alert: ModelServerModelNotReady
  expr: min by (model, version) (model_server_model_ready{ {{- $selector }}}) == 0
  for: 5m
  labels:
    severity: {{ $rule.severities.slow | quote }}
    namespace: {{ .Release.Namespace | quote }}
    release: {{ .Release.Name | quote }}
  annotations:
    summary: {{ "version {{ $labels.version }} of {{ $labels.model }} is not served by every pod" | quote }}
    description: "It could not be loaded, or was unloaded. What to look at: the server's log, which names the reason."
- alert: ModelServerOverloaded
  expr: sum by (model) (rate(model_server_requests_total{ {{- $selector }},status=~"429|RESOURCE_EXHAUSTED"}[5m])) > 0
  for: 10m
  labels:
    severity: {{ $rule.severities.slow | quote }}
    namespace: {{ .Release.Namespace | quote }}
    release: {{ .Release.Name | quote }}
  annotations:
    summary: {{ "requests to {{ $labels.model }} are refused because its queue is full" | quote }}
    description: "More come than the pods can compute. What to do: more pods (autoscaling.maxReplicas), or more CPU for each."
{{- end -}}
