{{/* Metadata and spec of the pods, for a Deployment or a Rollout. */}}
{{- define "model-server.podTemplate" -}}
metadata:
  labels:
    {{- with omit .Values.podLabels (ternary "app" "" (eq .Values.rollout.strategy "flagger")) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- include "model-server.workloadLabels" . | nindent 4 }}
  {{- if or .Values.podAnnotations .Values.server.config }}
  annotations:
    {{- with omit .Values.podAnnotations "checksum/config" }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .Values.server.config }}
    checksum/config: {{ toJson . | sha256sum }}
    {{- end }}
  {{- end }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ include "model-server.serviceAccountName" . | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  # After SIGTERM the server answers for drainSeconds more and then gives requests in flight inFlightSeconds; 5 s to spare.
  terminationGracePeriodSeconds: {{ with .Values.server }}{{ add .preStopSeconds .drainSeconds .inFlightSeconds 5 }}{{ end }}
  securityContext:
    {{- include "model-server.podSecurity" . | nindent 4 }}
  {{- with include "model-server.modelContainers" . | trim }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    {{- include "model-server.container" . | nindent 4 }}
  {{- with include "model-server.volumes" . | trim }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with include "model-server.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "model-server.container" -}}
- name: server
  image: {{ include "model-server.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  securityContext:
    {{- include "model-server.containerSecurity" . | nindent 4 }}
  env:
    {{- include "model-server.env" (list . (include "model-server.modelRepository" .)) | nindent 4 }}
  ports:
    - name: http
      containerPort: 8080
      protocol: TCP
    - name: grpc
      containerPort: 8081
      protocol: TCP
    - name: metrics
      containerPort: 8082
      protocol: TCP
  {{- include "model-server.probes" . | nindent 2 }}
  {{- if gt (int .Values.server.preStopSeconds) 0 }}
  {{- if semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version }}
  {{- fail (printf "server.preStopSeconds is %d, which takes Kubernetes 1.30; this is %s. The server needs no pause: server.drainSeconds" (int .Values.server.preStopSeconds) .Capabilities.KubeVersion.Version) }}
  {{- end }}
  lifecycle:
    preStop:
      sleep:
        seconds: {{ .Values.server.preStopSeconds }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  {{- with include "model-server.mounts" . | trim }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "model-server.mounts" -}}
{{- include "model-server.modelMount" (list . true) }}
{{- if .Values.server.config }}
- name: config
  mountPath: /etc/model-server
  readOnly: true
{{- end }}
{{- if .Values.tls.secretName }}
- name: tls
  mountPath: /etc/tls
  readOnly: true
{{- end }}
{{- if .Values.tls.clientCaSecretName }}
- name: tls-clients
  mountPath: /etc/tls-clients
  readOnly: true
{{- end }}
{{- if .Values.auth.secretName }}
- name: auth
  mountPath: /etc/auth
  readOnly: true
{{- end }}
{{- with .Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "model-server.volumes" -}}
{{- include "model-server.modelVolume" . }}
{{- if .Values.server.config }}
- name: config
  configMap:
    name: {{ include "model-server.fullname" . | quote }}
{{- end }}
{{- with .Values.tls.secretName }}
- name: tls
  secret:
    secretName: {{ . | quote }}
{{- end }}
{{- with .Values.tls.clientCaSecretName }}
- name: tls-clients
  secret:
    secretName: {{ . | quote }}
    # Never the key of the authority, if it is there too.
    items: [{ key: ca.crt, path: ca.crt }]
{{- end }}
{{- with .Values.auth.secretName }}
- name: auth
  secret:
    secretName: {{ . | quote }}
    items: [{ key: {{ $.Values.auth.key | quote }}, path: tokens }]
{{- end }}
{{- with .Values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Which nodes the pods go to. */}}
{{- define "model-server.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $spread := .Values.topologySpread }}
{{- if or $spread.nodes $spread.zones }}
topologySpreadConstraints:
  {{- range $key, $unsatisfiable := dict "kubernetes.io/hostname" $spread.nodes "topology.kubernetes.io/zone" $spread.zones }}
  {{- if $unsatisfiable }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $unsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "model-server.workloadLabels" $ | nindent 8 }}
    # Each version by itself: the pods that an update replaces do not count.
    matchLabelKeys: [{{ ternary "rollouts-pod-template-hash" "pod-template-hash" (eq $.Values.rollout.strategy "argo") }}]
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
