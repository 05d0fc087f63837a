"""BigQuery's REST API, as far as batch jobs and google-cloud-bigquery need it. Source: reference 4; bigquery v2."""
