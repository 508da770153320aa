{{- define "model-server.checkAutoscaling" -}}
{{- $cpu := not (kindIs "invalid" .Values.autoscaling.cpuUtilization) -}}
{{- $requests := .Values.resources.requests | default dict -}}
{{- with .Values.autoscaling }}
{{- $pending := not (kindIs "invalid" .pendingRequests) -}}
{{- if not (or $cpu $pending (and (eq .kind "keda") .keda.triggers)) }}
{{- fail "autoscaling has nothing to go by: set autoscaling.cpuUtilization or autoscaling.pendingRequests" }}
{{- end }}
{{- if and $cpu (not $requests.cpu) }}
{{- fail "autoscaling.cpuUtilization is a share of resources.requests.cpu, which is not set" }}
{{- end }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas (%d) is more than autoscaling.maxReplicas (%d)" (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- $starts := false }}
{{- range .keda.triggers }}{{ if not (has .type (list "cpu" "memory")) }}{{ $starts = true }}{{ end }}{{ end }}
{{- if and (eq (int .minReplicas) 0) (not (and (eq .kind "keda") $starts)) }}
{{- fail "autoscaling.minReplicas is 0: without a pod there is neither CPU nor a queue to measure. Only autoscaling.kind=keda with a trigger of another source in autoscaling.keda.triggers (neither cpu nor memory) can start from no pod" }}
{{- end }}
{{- if and (eq .kind "keda") $pending (not .keda.prometheus) }}
{{- fail "autoscaling.keda.prometheus is missing: where pendingRequests are asked for, such as http://prometheus.monitoring:9090" }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "model-server.horizontalPodAutoscaler" }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "model-server.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    {{- include "model-server.workloadReference" . | nindent 4 }}
  {{- with .Values.autoscaling }}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    {{- if not (kindIs "invalid" .cpuUtilization) }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .cpuUtilization }}
    {{- end }}
    {{- if not (kindIs "invalid" .pendingRequests) }}
    - type: Pods
      pods:
        metric:
          name: model_server_pending_requests
        target:
          type: AverageValue
          averageValue: {{ .pendingRequests | toString | quote }}
    {{- end }}
  {{- with .behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* Requests that wait or run in the pods of a Deployment: list CONTEXT DEPLOYMENT. */}}
{{- define "model-server.pendingQuery" -}}
sum(model_server_pending_requests{namespace="{{ (index . 0).Release.Namespace }}",pod=~"{{ include "model-server.podNames" (list (index . 1) "[a-z0-9]+") }}"})
{{- end -}}

{{- define "model-server.scaledObject" }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "model-server.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    {{- include "model-server.workloadReference" . | nindent 4 }}
  {{- with .Values.autoscaling }}
  minReplicaCount: {{ .minReplicas }}
  maxReplicaCount: {{ .maxReplicas }}
  pollingInterval: {{ .keda.pollingSeconds }}
  cooldownPeriod: {{ .keda.cooldownSeconds }}
  {{- with .behavior }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml . | nindent 8 }}
  {{- end }}
  triggers:
    {{- if not (kindIs "invalid" .cpuUtilization) }}
    - type: cpu
      metricType: Utilization
      metadata:
        value: {{ .cpuUtilization | toString | quote }}
    {{- end }}
    {{- if not (kindIs "invalid" .pendingRequests) }}
    - type: prometheus
      name: pending-requests
      metricType: AverageValue
      metadata:
        serverAddress: {{ .keda.prometheus | quote }}
        query: {{ include "model-server.pendingQuery" (list $ (include "model-server.fullname" $)) }}
        threshold: {{ .pendingRequests | toString | quote }}
    {{- end }}
    {{- with .keda.triggers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}
