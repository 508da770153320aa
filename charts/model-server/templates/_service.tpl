{{/* https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol */}}
{{- define "model-server.httpProtocol" -}}
{{ ternary "https" "http" (ne .Values.tls.secretName "") }}
{{- end -}}

{{- define "model-server.grpcProtocol" -}}
{{ ternary "https" "kubernetes.io/h2c" (ne .Values.tls.secretName "") }}
{{- end -}}

{{- define "model-server.servicePorts" -}}
{{- with .Values.service }}
{{- if and (eq .type "ClusterIP") (or .nodePort .grpcNodePort) }}
{{- fail (printf "service.%s is set, but service.type is ClusterIP: set service.type=NodePort" (ternary "nodePort" "grpcNodePort" (not (not .nodePort)))) }}
{{- end -}}
{{- if eq (int .port) (int .grpcPort) }}
{{- fail (printf "service.port and service.grpcPort are both %d: one Service cannot have a port twice" (int .port)) }}
{{- end -}}
- name: http
  port: {{ .port }}
  targetPort: http
  protocol: TCP
  appProtocol: {{ include "model-server.httpProtocol" $ }}
  {{- with .nodePort }}
  nodePort: {{ . }}
  {{- end }}
- name: grpc
  port: {{ .grpcPort }}
  targetPort: grpc
  protocol: TCP
  appProtocol: {{ include "model-server.grpcProtocol" $ }}
  {{- with .grpcNodePort }}
  nodePort: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
