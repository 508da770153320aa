{{/* Name of every object: the release's, with the chart's name unless it is part of it already. */}}
{{- define "model-server.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects this release's pods; never changes, because a Deployment's selector cannot. */}}
{{- define "model-server.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */}}
{{- define "model-server.labels" -}}
{{ include "model-server.selectorLabels" . }}
app.kubernetes.io/component: inference
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The image by digest; by tag only where that is allowed by name. */}}
{{- define "model-server.image" -}}
{{- $image := .Values.image -}}
{{- if not $image.repository -}}
{{- fail "image.repository is missing: set it to the image that holds your model, such as registry.example.org/team/digits" -}}
{{- else if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else if and $image.tag $image.allowTag -}}
{{- printf "%s:%s" $image.repository $image.tag -}}
{{- else if $image.tag -}}
{{- fail (printf "image.digest is missing, and image.tag (%s) is not used instead: a tag can come to mean other bytes than those that were tested. Set image.digest=sha256:…, or image.allowTag=true to try things out" $image.tag) -}}
{{- else -}}
{{- fail "image.digest is missing: set it to the sha256:… that the build printed" -}}
{{- end -}}
{{- end -}}
