{{/* Name of every object: the release's, with the chart's name unless it is part of it already. */}}
{{- define "model-server.fullname" -}}
{{- $long := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name := .Values.fullnameOverride | default $long | trunc 63 | trimSuffix "-" -}}
{{- if regexMatch "^[0-9]|[.]" $name -}}
{{- fail (printf "a Service cannot have the name %s: it begins with a letter and has no dot. Set fullnameOverride" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* The name, no longer than Flagger can lengthen for the Services that it makes. */}}
{{- define "model-server.flaggerName" -}}
{{- $name := include "model-server.fullname" . -}}
{{- if gt (len $name) 55 -}}
{{- fail (printf "the name %s has %d characters, and rollout.strategy is flagger, which adds -primary to it for a Service: set fullnameOverride to 55 at most" $name (len $name)) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/*
A regular expression for the names of a workload's pods: list WORKLOAD HASH. Before the five characters of its own, a
pod's name is cut to 58 (k8s.io/apiserver, names/generate.go): a longer workload's would lose the dash in front of them.
*/}}
{{- define "model-server.podNames" -}}
{{- $name := index . 0 -}}
{{- if gt (len $name) 46 -}}
{{- fail (printf "the name %s has %d characters, and Prometheus is asked for its pods by their names, which Kubernetes cuts: set fullnameOverride so that it has 46 at most" $name (len $name)) -}}
{{- end -}}
{{- printf "%s-%s-[a-z0-9]+" $name (index . 1) -}}
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

{{/* The labels of an object that nothing of the chart selects by, with more or other ones: list CONTEXT LABELS. */}}
{{- define "model-server.labelsWith" -}}
{{- toYaml (merge (dict) (index . 1) (include "model-server.labels" (index . 0) | fromYaml)) -}}
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
