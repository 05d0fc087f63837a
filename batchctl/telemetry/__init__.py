"""For machines that watch: metrics of Prometheus, the health of the process, and OpenTelemetry. Decides nothing.

Names of jobs are in no label of a metric: their number has no limit. Nothing here has a prompt, a row or a secret.
"""
