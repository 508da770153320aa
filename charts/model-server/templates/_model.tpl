{{/* The model repository in the container; empty is what the image says. */}}
{{- define "model-server.modelRepository" -}}
{{- .Values.model.repository | default (ternary "" "/models" (eq .Values.model.source "image")) -}}
{{- end -}}

{{/* Where the model is mounted. */}}
{{- define "model-server.modelPath" -}}
{{- .Values.model.mountPath | default (include "model-server.modelRepository" .) -}}
{{- end -}}

{{/* The volume that holds the model, unless the image does. */}}
{{- define "model-server.modelVolume" -}}
{{- $model := .Values.model -}}
{{- if eq $model.source "oci" }}
- name: model
  image:
    reference: {{ include "model-server.otherImage" (list . $model.oci.reference "model.oci.reference") | quote }}
    pullPolicy: {{ $model.oci.pullPolicy }}
{{- if semverCompare "<1.33.0-0" .Capabilities.KubeVersion.Version }}
{{- fail (printf "model.source is oci, which takes Kubernetes 1.33 with the feature gate ImageVolume, or 1.35; this is %s. Use download or pvc" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- else if eq $model.source "pvc" }}
- name: model
  persistentVolumeClaim:
    claimName: {{ required "model.pvc.claimName is missing: the claim that holds the model" $model.pvc.claimName | quote }}
    readOnly: true
{{- else if has $model.source (list "download" "init") }}
- name: model
  emptyDir:
    sizeLimit: {{ $model.download.sizeLimit }}
{{- end }}
{{- with $model.download.headersSecretName }}
- name: model-headers
  secret:
    secretName: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The model's mount: list CONTEXT READ-ONLY. */}}
{{- define "model-server.modelMount" -}}
{{- $context := index . 0 -}}
{{- $model := $context.Values.model -}}
{{- if ne $model.source "image" }}
- name: model
  mountPath: {{ include "model-server.modelPath" $context | quote }}
  readOnly: {{ index . 1 }}
  {{- if eq $model.source "oci" }}
  {{- with $model.oci.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  {{- else if eq $model.source "pvc" }}
  {{- with $model.pvc.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Refuses what belongs to another source. */}}
{{- define "model-server.checkModel" -}}
{{- $model := .Values.model -}}
{{- range $value, $set := dict "oci.reference" $model.oci.reference "oci.subPath" $model.oci.subPath "pvc.claimName" $model.pvc.claimName "pvc.subPath" $model.pvc.subPath "init.image" $model.init.image "download.headersSecretName" $model.download.headersSecretName }}
{{- $source := index (splitList "." $value) 0 }}
{{- if and $set (ne $model.source $source) }}
{{- fail (printf "model.%s is set, and model.source is %s: set model.source=%s, or leave it out" $value $model.source $source) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What has to be done before the server may start: your container writes the model, then every file is checked. */}}
{{- define "model-server.modelContainers" -}}
{{- include "model-server.checkModel" . -}}
{{- $model := .Values.model -}}
{{- if eq $model.source "init" }}
- name: model-init
  image: {{ include "model-server.otherImage" (list . $model.init.image "model.init.image") | quote }}
  securityContext:
    {{- include "model-server.containerSecurity" . | nindent 4 }}
  {{- with $model.init.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $model.init.args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $model.init.env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $model.init.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  volumeMounts:
    {{- include "model-server.modelMount" (list . false) | trim | nindent 4 }}
{{- end }}
{{- include "model-server.modelCheck" . }}
{{- end -}}

{{- define "model-server.modelCheck" -}}
{{- $model := .Values.model -}}
{{- $download := eq $model.source "download" -}}
{{- if and $download (not $model.files) }}
{{- fail "model.files is empty: with model.source=download it names each file with path, url and sha256" }}
{{- end }}
{{- range $model.files }}
{{- if and $download (not .url) }}
{{- fail (printf "model.files: %s has no url, and model.source is download" .path) }}
{{- else if and .url (not $download) }}
{{- fail (printf "model.files: %s has a url, which only model.source=download fetches; it is %s" .path $model.source) }}
{{- end }}
{{- end }}
{{- with $model.files }}
# The script is an argument, so that an old pod that starts again does what it was made for.
- name: model-check
  image: {{ include "model-server.image" $ | quote }}
  imagePullPolicy: {{ $.Values.image.pullPolicy }}
  securityContext:
    {{- include "model-server.containerSecurity" $ | nindent 4 }}
  command: [{{ $.Values.image.node | quote }}]
  args:
    - --input-type=module
    - --eval
    - |
      {{- $.Files.Get "files/check-model.mjs" | trim | nindent 6 }}
  env:
    - name: MODEL_FILES
      value: {{ toJson . | quote }}
    {{- with include "model-server.modelRepository" $ }}
    - name: MODEL_REPOSITORY
      value: {{ . | quote }}
    {{- end }}
    {{- if $model.download.headersSecretName }}
    - name: MODEL_HEADERS
      value: /etc/model-headers
    {{- end }}
  resources:
    {{- toYaml $.Values.resources | nindent 4 }}
  {{- if or (ne $model.source "image") $model.download.headersSecretName }}
  volumeMounts:
    {{- with include "model-server.modelMount" (list $ (not $download)) | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- if $model.download.headersSecretName }}
    - name: model-headers
      mountPath: /etc/model-headers
      readOnly: true
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
