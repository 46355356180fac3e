{{- define "secretsfs.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "secretsfs.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 55 | trimSuffix "-" }}
{{- else if contains (include "secretsfs.name" .) .Release.Name }}
{{- .Release.Name | trunc 55 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "secretsfs.name" .) | trunc 55 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "secretsfs.selectorLabels" -}}
app.kubernetes.io/name: {{ include "secretsfs.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "secretsfs.labels" -}}
{{ include "secretsfs.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "secretsfs.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- /* That of the keeper may be another version of the same. */}}
{{- define "secretsfs.keeperImage" -}}
{{- $own := .Values.keeper.image }}
{{- if $own.digest -}}
{{ .Values.image.repository }}@{{ $own.digest }}
{{- else if $own.tag -}}
{{ .Values.image.repository }}:{{ $own.tag }}
{{- else -}}
{{ include "secretsfs.image" . }}
{{- end }}
{{- end }}

{{- define "secretsfs.workerServiceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (printf "%s-worker" (include "secretsfs.fullname" .)) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: which one, where serviceAccount.create is false?" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* Like klog's levels: debug lines from 5 on. */}}
{{- define "secretsfs.logLevel" -}}
{{- if ge (int .Values.logVerbosity) 5 }}debug{{ else }}info{{ end }}
{{- end }}

{{- define "secretsfs.roleArn" -}}
{{- if and .Values.identity.roleArn (not (has .Values.identity.kind (list "irsa" "web-identity"))) }}
{{- fail (printf "identity.roleArn: means nothing where identity.kind is %s" .Values.identity.kind) }}
{{- end }}
{{- if and (eq .Values.identity.kind "web-identity") (not .Values.identity.roleArn) }}
{{- fail "identity.roleArn: which role, where identity.kind is web-identity?" }}
{{- end }}
{{- .Values.identity.roleArn }}
{{- end }}

{{- define "secretsfs.region" -}}
{{- if and (has .Values.identity.kind (list "node-role" "web-identity")) (not .Values.awsRegion) }}
{{- fail (printf "awsRegion: which one, where identity.kind is %s? Nobody injects it there" .Values.identity.kind) }}
{{- end }}
{{- .Values.awsRegion }}
{{- end }}

{{- /* The role that EKS injects, as the worker's ServiceAccount names it. */}}
{{- define "secretsfs.injectedRole" -}}
{{- $roleArn := include "secretsfs.roleArn" . }}
{{- if and $roleArn (eq .Values.identity.kind "irsa") }}
{{- $roleArn }}
{{- else }}
{{- get (default dict .Values.serviceAccount.annotations) "eks.amazonaws.com/role-arn" }}
{{- end }}
{{- end }}

{{- /* Kubernetes takes a DaemonSet with one of the two only. */}}
{{- define "secretsfs.keeperStrategy" -}}
{{- $rolling := default dict .Values.keeper.updateStrategy.rollingUpdate }}
{{- $none := list "" "0" "0%" }}
{{- $surge := has (toString (get $rolling "maxSurge")) $none }}
{{- $unavailable := has (toString (get $rolling "maxUnavailable")) $none }}
{{- if and $rolling (eq $surge $unavailable) }}
{{- fail "keeper.updateStrategy.rollingUpdate: one of maxSurge and maxUnavailable must be 0, and the other more" }}
{{- end }}
{{- toYaml .Values.keeper.updateStrategy }}
{{- end }}

{{- /* The ports of endpoints, as a list in JSON, without what is let through. */}}
{{- define "secretsfs.endpointPorts" -}}
{{- $ports := list }}
{{- range $_, $url := .Values.endpoints }}
{{- $port := regexFind ":[0-9]+/?$" $url | trimPrefix ":" | trimSuffix "/" }}
{{- if and $port (ne $port "443") }}
{{- if gt (int $port) 65535 }}
{{- fail (printf "endpoints: %s has no such port" $url) }}
{{- end }}
{{- $ports = append $ports (int $port) }}
{{- end }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{- /* The text of a class file: (list NAME CLASS). */}}
{{- define "secretsfs.class" -}}
{{- $name := index . 0 }}
{{- $class := index . 1 }}
{{- if kindIs "string" $class }}
{{- if not (regexMatch "(?m)^ *(- )?kind: *[\"']?SecretProviderClass[\"']? *$" $class) }}
{{- fail (printf "classes.%s: this text has no document of kind SecretProviderClass" $name) }}
{{- end }}
{{- $class }}
{{- else }}
{{- toYaml $class }}
{{- end }}
{{- end }}

{{- /* What the pods of both DaemonSets have in common. */}}
{{- define "secretsfs.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: 30
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
{{- end }}
