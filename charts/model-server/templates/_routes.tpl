{{- define "model-server.checkRoutes" -}}
{{- $http := .Values.httpRoute -}}
{{- $grpc := .Values.grpcRoute -}}
{{- range $name, $route := dict "httpRoute" $http "grpcRoute" $grpc }}
{{- if and $route.enabled (not $route.parentRefs) }}
{{- fail (printf "%s.parentRefs is empty: name the Gateway, such as [{ name: public, namespace: gateways }]" $name) }}
{{- end }}
{{- end }}
{{- /* https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute: of two kinds with one hostname, a listener takes the older route. */}}
{{- if and $http.enabled $grpc.enabled (include "model-server.sharedListener" .) (include "model-server.sharedHostname" .) }}
{{- fail "httpRoute and grpcRoute have a hostname in common on the same Gateway, which takes only one of them: give grpcRoute.hostnames and httpRoute.hostnames names of their own" }}
{{- end }}
{{- if and .Values.canary.service (ne .Values.rollout.strategy "rolling") }}
{{- fail (printf "canary.service is set, and rollout.strategy is %s, which sets the routes' weights itself: use one of them" .Values.rollout.strategy) }}
{{- end }}
{{- if and .Values.canary.service (not (or $http.enabled $grpc.enabled)) }}
{{- fail "canary.service is set, but no route could give it requests: enable httpRoute or grpcRoute" }}
{{- end }}
{{- if and (gt (int .Values.canary.weight) 0) (not .Values.canary.service) }}
{{- fail "canary.weight is set, but canary.service is not: name the other release's Service" }}
{{- end }}
{{- if and $grpc.enabled (eq .Values.rollout.strategy "flagger") }}
{{- fail "grpcRoute is not for rollout.strategy=flagger, which shifts HTTP routes only" }}
{{- end }}
{{- end -}}

{{/* Whether a listener may get both routes; empty is no. Without a section or a port, a reference means every listener. */}}
{{- define "model-server.sharedListener" -}}
{{- range $one := .Values.httpRoute.parentRefs }}
{{- range $other := $.Values.grpcRoute.parentRefs }}
{{- $same := and (eq $one.name $other.name) (eq ($one.namespace | default $.Release.Namespace) ($other.namespace | default $.Release.Namespace)) (eq ($one.kind | default "Gateway") ($other.kind | default "Gateway")) }}
{{- $section := or (not $one.sectionName) (not $other.sectionName) (eq (toString $one.sectionName) (toString $other.sectionName)) }}
{{- $port := or (not $one.port) (not $other.port) (eq (toString $one.port) (toString $other.port)) }}
{{- if and $same $section $port }}yes{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether some name is both routes'; empty is no. No names at all are those of the listener. */}}
{{- define "model-server.sharedHostname" -}}
{{- if not (and .Values.httpRoute.hostnames .Values.grpcRoute.hostnames) }}yes{{ end }}
{{- range $one := .Values.httpRoute.hostnames }}
{{- range $other := $.Values.grpcRoute.hostnames }}
{{- $covers := and (hasPrefix "*." $one) (hasSuffix (trimPrefix "*" $one) $other) }}
{{- $isCovered := and (hasPrefix "*." $other) (hasSuffix (trimPrefix "*" $other) $one) }}
{{- if or (eq $one $other) $covers $isCovered }}yes{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether Argo Rollouts shifts weights of a route; empty is no. */}}
{{- define "model-server.argoRoutes" -}}
{{- if and (eq .Values.rollout.strategy "argo") (or .Values.httpRoute.enabled .Values.grpcRoute.enabled) }}yes{{ end -}}
{{- end -}}

{{- define "model-server.routeTargets" -}}
parentRefs:
  {{- toYaml .parentRefs | nindent 2 }}
{{- with .hostnames }}
hostnames:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The Services behind a route, with their shares: list CONTEXT PORT CANARY-PORT. */}}
{{- define "model-server.backends" -}}
{{- $context := index . 0 -}}
{{- $canary := $context.Values.canary -}}
{{- $second := $canary.service -}}
{{- $port := index . 2 -}}
{{- if eq $context.Values.rollout.strategy "argo" -}}
{{- $second = include "model-server.derivedName" (list $context "canary") -}}
{{- $port = index . 1 -}}
{{- end -}}
- name: {{ include "model-server.fullname" $context | quote }}
  port: {{ index . 1 }}
  weight: {{ sub 100 $canary.weight }}
{{- with $second }}
- name: {{ . | quote }}
  port: {{ $port }}
  weight: {{ $canary.weight }}
{{- end }}
{{- end -}}
