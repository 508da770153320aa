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

{{/* Another image, by the same rule: list CONTEXT REFERENCE NAME-OF-THE-VALUE. */}}
{{- define "model-server.otherImage" -}}
{{- $reference := index . 1 -}}
{{- $name := index . 2 -}}
{{- if not $reference -}}
{{- fail (printf "%s is missing: set it to REGISTRY/NAME@sha256:…" $name) -}}
{{- else if not (or (regexMatch "@sha256:[0-9a-f]{64}$" $reference) (index . 0).Values.image.allowTag) -}}
{{- fail (printf "%s (%s) has no digest: add @sha256:…, or set image.allowTag=true to try things out" $name $reference) -}}
{{- end -}}
{{- $reference -}}
{{- end -}}
