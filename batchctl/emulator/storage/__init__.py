"""Cloud Storage's JSON API, as far as batch jobs and google-cloud-storage need it. Source: reference 4; storage v1."""
