{{/* Statuses of requests that the server failed to answer: the REST statuses, and the names of the gRPC codes. */}}
{{- define "model-server.failedStatuses" -}}
5..|429|UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE|DATA_LOSS
{{- end -}}

{{/* Requests of some pods that failed, in per cent; no value without requests: list CONTEXT PODS. */}}
{{- define "model-server.errorPercentQuery" -}}
{{- $selector := printf "namespace=\"%s\",pod=~\"%s\"" (index . 0).Release.Namespace (index . 1) -}}
100 * (sum(rate(model_server_requests_total{ {{- $selector }},status=~"{{ include "model-server.failedStatuses" (index . 0) }}"}[2m])) or vector(0)) / (sum(rate(model_server_requests_total{ {{- $selector }}}[2m])) > 0)
{{- end -}}

{{/* 99th percentile of the request times of some pods, in seconds: list CONTEXT PODS. */}}
{{- define "model-server.p99Query" -}}
histogram_quantile(0.99, sum by (le) (rate(model_server_request_duration_seconds_bucket{namespace="{{ (index . 0).Release.Namespace }}",pod=~"{{ index . 1 }}"}[2m])))
{{- end -}}

{{/* A metric of an AnalysisTemplate: list CONTEXT QUERY PODS LIMIT. One measurement, after each step. Neither condition holds without a value: inconclusive, and the rollout waits for a person. */}}
{{- define "model-server.argoMetric" -}}
{{- $rollout := (index . 0).Values.rollout -}}
count: 1
successCondition: len(result) > 0 && !isNaN(result[0]) && result[0] <= {{ index . 3 }}
failureCondition: len(result) > 0 && !isNaN(result[0]) && result[0] > {{ index . 3 }}
failureLimit: 0
inconclusiveLimit: 0
provider:
  prometheus:
    address: {{ $rollout.prometheus | quote }}
    query: {{ include (index . 1) (list (index . 0) (index . 2)) | quote }}
{{- end -}}
