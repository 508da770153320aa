{{/* Name of every object: the release's, with the chart's name unless it is part of it already. */}}
{{- define "model-server.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name with an ending, within the 63 characters of a Service's name: list CONTEXT ENDING. */}}
{{- define "model-server.derivedName" -}}
{{- $ending := printf "-%s" (index . 1) -}}
{{- printf "%s%s" (include "model-server.fullname" (index . 0) | trunc (sub 63 (len $ending) | int) | trimSuffix "-") $ending -}}
{{- end -}}

{{/* What selects this release's pods; never changes, because a Deployment's selector cannot. */}}
{{- define "model-server.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/*
What selects the pods of the workload. Flagger sets one label of its copy of the Deployment to another value, and selects
by that label alone: it has to be this release's own. `app` is the first that it looks for.
*/}}
{{- define "model-server.workloadLabels" -}}
{{ include "model-server.selectorLabels" . }}
{{- if eq .Values.rollout.strategy "flagger" }}
app: {{ include "model-server.fullname" . | quote }}
{{- end }}
{{- end -}}

{{/* https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */}}
{{- define "model-server.labels" -}}
{{ include "model-server.selectorLabels" . }}
app.kubernetes.io/component: inference
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}

{{/* Name, namespace and labels of an object with the name of all. */}}
{{- define "model-server.metadata" -}}
name: {{ include "model-server.fullname" . | quote }}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "model-server.labels" . | nindent 2 }}
{{- end -}}

{{- define "model-server.serviceAccountName" -}}
{{- with .Values.serviceAccount -}}
{{- if .create -}}
{{- .name | default (include "model-server.fullname" $) -}}
{{- else -}}
{{- .name | default "default" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What an autoscaler scales and a canary controller controls: Deployment or Rollout. */}}
{{- define "model-server.workloadReference" -}}
apiVersion: {{ ternary "argoproj.io/v1alpha1" "apps/v1" (eq .Values.rollout.strategy "argo") }}
kind: {{ ternary "Rollout" "Deployment" (eq .Values.rollout.strategy "argo") }}
name: {{ include "model-server.fullname" . | quote }}
{{- end -}}

{{/* Fewest pods that the release is meant to have. */}}
{{- define "model-server.fewestReplicas" -}}
{{- .Values.autoscaling.enabled | ternary .Values.autoscaling.minReplicas .Values.replicaCount | int -}}
{{- end -}}
