{{- /* The version is left out: what has not changed shall not change with the chart. */ -}}
{{- define "daskhub.labels" -}}
app.kubernetes.io/name: daskhub
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
